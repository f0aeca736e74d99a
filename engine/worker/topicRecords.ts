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
  const parts: Buffer[] = [];
  const length = (bytes: Uint8Array): Buffer => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(bytes.length);
    return prefix;
  };
  for (const { topic, key, headers, value } of records) {
    const [keyBytes, headerBytes] = [Buffer.from(key), Buffer.from(JSON.stringify(headers))];
    parts.push(Buffer.of(OUTPUT_TOPICS.indexOf(topic)), length(keyBytes), keyBytes, length(headerBytes), headerBytes);
    parts.push(length(value), Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }
  const packed = Buffer.concat(parts);
  // A buffer of its own: a small Buffer is a piece of a pool that must not be transferred.
  return { count: records.length, bytes: new Uint8Array(packed) };
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
