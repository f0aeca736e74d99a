import { type Content, NULL_VALUE } from "../frame/content.ts";

/**
 * A batch: records of one partition, a contiguous range of offsets, in one shared buffer that moves to a worker thread
 * without being copied or cloned, and stays here should the worker die and the batch have to run again.
 *
 *     ┌ table: count × 32 B ────────────────────────────────────────────────────────────┬ payload ──────────┐
 *     │ f64 offset │ f64 record time, ms │ u32 start │ u32 length │ u32 content │ u32 0  │ the records' bytes │
 *     └──────────────────────────────────────────────────────────────────────────────────┴───────────────────┘
 */
export interface Batch {
  /** Kafka topic, or `recording:<sha256>` with `#<run>` behind it for another run of the same file. */
  readonly source: string;
  readonly partition: number;
  /** First offset of the range. */
  readonly from: number;
  /** Offset after the range: what is consumed once the batch is done. Offsets may have gaps, ranges have none. */
  readonly to: number;
  readonly count: number;
  readonly bytes: SharedArrayBuffer;
}

export const RECORD_ENTRY_BYTES = 32;

export interface SourceRecord {
  readonly offset: number;
  /** Broker's time of the record in ms, 0 when there is none (recordings). Part of the row, so it must be the same on a replay. */
  readonly time: number;
  readonly content: Content;
  /** null: a Kafka record without a value. It becomes a dead letter like any other that cannot be decoded. */
  readonly value: Uint8Array | null;
}

/** Packs records (ascending offsets) into a batch for the range [from, to). */
export function packBatch(
  source: string,
  partition: number,
  from: number,
  to: number,
  records: readonly SourceRecord[],
): Batch {
  let size = records.length * RECORD_ENTRY_BYTES;
  for (const record of records) size += record.value?.length ?? 0;
  const bytes = new SharedArrayBuffer(size);
  const f64 = new Float64Array(bytes, 0, records.length * (RECORD_ENTRY_BYTES / 8));
  const u32 = new Uint32Array(bytes, 0, records.length * (RECORD_ENTRY_BYTES / 4));
  const u8 = new Uint8Array(bytes);
  let at = records.length * RECORD_ENTRY_BYTES;
  for (let i = 0; i < records.length; i++) {
    const { offset, time, content, value } = records[i]!;
    f64[i * 4] = offset;
    f64[i * 4 + 1] = time;
    u32[i * 8 + 4] = at;
    u32[i * 8 + 5] = value === null ? NULL_VALUE : value.length;
    u32[i * 8 + 6] = content;
    if (value !== null) {
      u8.set(value, at);
      at += value.length;
    }
  }
  return { source, partition, from, to, count: records.length, bytes };
}
