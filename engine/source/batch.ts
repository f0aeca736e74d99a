import { NULL_VALUE } from "../frame/content.ts";
import {
  contentAt,
  hasValue,
  offsetAt,
  RECORD_ENTRY_BYTES,
  type Records,
  recordsOf,
  type SourceRecord,
  setRecord,
  sizeAt,
  startAt,
  timeAt,
} from "./records.ts";

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

/** Packs records (ascending offsets) into a batch for the range [from, to). */
export const packBatch = (
  source: string,
  partition: number,
  from: number,
  to: number,
  records: readonly SourceRecord[],
): Batch => packRecords(source, partition, from, to, [recordsOf(records)]);

/** The same of records as they were read, in several parts. */
export function packRecords(
  source: string,
  partition: number,
  from: number,
  to: number,
  parts: readonly Records[],
): Batch {
  let count = 0;
  let size = 0;
  for (const part of parts) {
    count += part.count;
    for (let i = 0; i < part.count; i++) size += sizeAt(part, i);
  }
  const bytes = new SharedArrayBuffer(count * RECORD_ENTRY_BYTES + size);
  const table = {
    f64: new Float64Array(bytes, 0, count * (RECORD_ENTRY_BYTES / 8)),
    u32: new Uint32Array(bytes, 0, count * (RECORD_ENTRY_BYTES / 4)),
  };
  const payload = new Uint8Array(bytes);
  let record = 0;
  let at = count * RECORD_ENTRY_BYTES;
  for (const part of parts) {
    // Values that lie one behind the other, as those of a poll mostly do, are copied as one.
    let begin = 0;
    let end = 0;
    const copy = (): void => {
      payload.set(part.bytes.subarray(begin, end), at);
      at += end - begin;
    };
    for (let i = 0; i < part.count; i++, record++) {
      const [start, size] = [startAt(part, i), sizeAt(part, i)];
      if (size > 0 && start !== end) {
        copy();
        begin = end = start;
      }
      const length = hasValue(part, i) ? size : NULL_VALUE;
      setRecord(table, record, offsetAt(part, i), timeAt(part, i), at + end - begin, length, contentAt(part, i));
      end += size;
    }
    copy();
  }
  return { source, partition, from, to, count, bytes };
}
