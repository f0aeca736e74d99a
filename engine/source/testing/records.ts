/** Records for tests, and back. */
import { type Batch, tableOf } from "../batch.ts";
import {
  contentAt,
  fillRecords,
  hasValue,
  offsetAt,
  RECORD_ENTRY_BYTES,
  type Records,
  recordsAt,
  type SourceRecord,
  timeAt,
  valueAt,
} from "../records.ts";

/** Values that are nothing. */
export const NOISE: readonly Uint8Array[] = [
  Buffer.alloc(0),
  Buffer.from([1]),
  Buffer.from([0, 7]),
  Buffer.from("x\n"),
];

export const listOf = (records: Records): SourceRecord[] =>
  Array.from({ length: records.count }, (_, i) => ({
    offset: offsetAt(records, i),
    time: timeAt(records, i),
    content: contentAt(records, i),
    value: hasValue(records, i) ? valueAt(records, i).slice() : null,
  }));

/** Offsets from 7 on; before the table and before the values lies somebody else's. */
export function surrounded(list: readonly Pick<SourceRecord, "content" | "value">[]): Records {
  const [before, between] = [3 * RECORD_ENTRY_BYTES, 40];
  const size = list.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  const at = before + list.length * RECORD_ENTRY_BYTES + between;
  const bytes = new SharedArrayBuffer(at + size + between);
  new Uint8Array(bytes).fill(0x22);
  const records = recordsAt(bytes, before, list.length, true);
  fillRecords(
    records,
    list.map((record, i) => ({ ...record, offset: i + 7, time: 1_000 + i })),
    at,
  );
  return records;
}

/** All values of a batch, as latin1. */
export const textOf = ({ parts }: Batch): string =>
  parts
    .map(tableOf)
    .flatMap(({ count, bytes, u32 }) =>
      Array.from({ length: count }, (_, i) =>
        Buffer.from(bytes.buffer, u32[i * 8 + 4]!, u32[i * 8 + 5]!).toString("latin1"),
      ),
    )
    .join("\n");
