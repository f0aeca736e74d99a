import { OUTPUT_TOPICS, type OutputTopic, type TopicRecords } from "./outcome.ts";

/** One record for an output topic, as a worker makes it. */
export interface TopicRecord {
  readonly topic: OutputTopic;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array;
}

/**
 * Puts records back to back in one buffer, so that they move between threads as one:
 * u8 topic │ u32 length + key │ u32 length + headers as JSON │ u32 length + value, for each.
 */
export function packRecords(records: readonly TopicRecord[]): TopicRecords {
  const headerTexts = new Map<TopicRecord["headers"], string>(); // most records share theirs
  let room = 0;
  for (const { key, headers, value } of records) {
    if (!headerTexts.has(headers)) headerTexts.set(headers, JSON.stringify(headers));
    room += 13 + 3 * (key.length + headerTexts.get(headers)!.length) + value.length;
  }
  const packed = Buffer.allocUnsafe(room);
  let at = 0;
  const text = (of: string): void => {
    const length = packed.write(of, at + 4);
    at = packed.writeUInt32LE(length, at) + length;
  };
  for (const { topic, key, headers, value } of records) {
    packed[at++] = OUTPUT_TOPICS.indexOf(topic);
    text(key);
    text(headerTexts.get(headers)!);
    packed.set(value, packed.writeUInt32LE(value.length, at));
    at += 4 + value.length;
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
