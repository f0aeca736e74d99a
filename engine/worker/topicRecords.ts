import { OUTPUT_TOPICS, type OutputTopic, type TopicRecords } from "./outcome.ts";

/** One record for an output topic, as a worker makes it. */
export interface TopicRecord {
  readonly topic: OutputTopic;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text becomes UTF-8 where it is packed: one buffer less a record. */
  readonly value: Uint8Array | string;
}

/**
 * Puts records back to back in one buffer, so that they move between threads as one:
 * u8 topic │ u32 length + key │ u32 length + headers as JSON │ u32 length + value, for each.
 */
export function packRecords(records: readonly TopicRecord[]): TopicRecords {
  const known = new Map<TopicRecord["headers"], Buffer>(); // most records share theirs
  let room = 0;
  for (const { key, headers, value } of records) {
    let text = known.get(headers);
    if (text === undefined) known.set(headers, (text = Buffer.from(JSON.stringify(headers))));
    room += 13 + 3 * key.length + text.length + (typeof value === "string" ? 3 : 1) * value.length;
  }
  const packed = Buffer.allocUnsafe(room);
  let at = 0;
  const sized = (of: Uint8Array | string): void => {
    let length: number;
    if (typeof of === "string") length = packed.write(of, at + 4);
    else {
      packed.set(of, at + 4);
      length = of.length;
    }
    at = packed.writeUInt32LE(length, at) + length;
  };
  for (const { topic, key, headers, value } of records) {
    packed[at++] = OUTPUT_TOPICS.indexOf(topic);
    sized(key);
    sized(known.get(headers)!);
    sized(value);
  }
  // a buffer of its own: a small Buffer is a piece of a pool that must not be transferred
  return { count: records.length, bytes: new Uint8Array(packed.subarray(0, at)) };
}

/** Cuts them apart again; the values are views. */
export function* unpackRecords({ bytes, count }: TopicRecords): Generator<TopicRecord & { value: Buffer }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const sized = (): Buffer => {
    const start = at + 4;
    at = start + buffer.readUInt32LE(at);
    return buffer.subarray(start, at);
  };
  for (let i = 0; i < count; i++) {
    const topic = OUTPUT_TOPICS[buffer[at++]!]!;
    const key = sized().toString();
    const headers = JSON.parse(sized().toString()) as Record<string, string>;
    yield { topic, key, headers, value: sized() };
  }
}
