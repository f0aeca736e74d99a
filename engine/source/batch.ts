import {
  bytesOf,
  letGo,
  RECORD_ENTRY_BYTES,
  type Records,
  recordsOf,
  type SourceRecord,
  tableAt,
  together,
} from "./records.ts";

/**
 * A batch: records of one partition, a contiguous range of offsets, where they were read to, in shared buffers. A worker thread reads them there,
 * nothing is copied or cloned; and they stay here should the worker die and the batch have to run again.
 */
export interface Batch {
  /** Kafka topic, or `recording:<sha256>` with `#<run>` behind it for another run of the same file. */
  readonly source: string;
  readonly partition: number;
  /** First offset of the range. */
  readonly from: number;
  /** Offset after the range: what is consumed once the batch is done. Offsets may have gaps, ranges have none. */
  readonly to: number;
  /** Records, of all parts. */
  readonly count: number;
  /** Bytes of their values and tables. */
  readonly size: number;
  /** By ascending offsets. */
  readonly parts: readonly BatchPart[];
}

/** A table of records (records.ts draws it) in a buffer that has others, too. */
export interface BatchPart {
  readonly bytes: SharedArrayBuffer;
  /** Where its first entry is. */
  readonly at: number;
  readonly count: number;
}

/** Parts that are smaller are copied together: each costs a worker 1 us, and holds what else was read with it. */
const SMALL = 32 << 10;

/**
 * The batch of these records for the range [from, to).
 * @returns held: what must be let go of once nobody reads the batch any more
 */
export function batchOf(
  source: string,
  partition: number,
  from: number,
  to: number,
  parts: readonly Records[],
): { readonly batch: Batch; readonly held: readonly Records[] } {
  let count = 0;
  let size = 0;
  for (const part of parts) {
    count += part.count;
    size += part.count * RECORD_ENTRY_BYTES + bytesOf(part);
  }
  let held = parts;
  if (parts.length > 1 && size < SMALL * parts.length) {
    held = [together(parts)];
    parts.forEach(letGo);
  }
  return {
    batch: {
      source,
      partition,
      from,
      to,
      count,
      size,
      parts: held.map(({ bytes, at, count }) => ({ bytes, at, count })),
    },
    held,
  };
}

/** Of records (ascending offsets) that come one by one. */
export const packBatch = (
  source: string,
  partition: number,
  from: number,
  to: number,
  records: readonly SourceRecord[],
): Batch => batchOf(source, partition, from, to, [recordsOf(records)]).batch;

/** Offset and time of each record by places 4i and 4i + 1 of `f64`; where its value is and what by 8i + 4 to 8i + 6 of `u32`. */
export const tableOf = ({ bytes, at, count }: BatchPart) => ({
  count,
  bytes: new Uint8Array(bytes),
  ...tableAt(bytes, at, count),
});
