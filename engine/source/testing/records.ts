/** Records for tests, and back. */
import type { Content } from "../../frame/content.ts";
import { NULL_VALUE } from "../../frame/content.ts";
import {
  contentAt,
  emptyRecords,
  hasValue,
  offsetAt,
  type Records,
  type SourceRecord,
  setRecord,
  sizeAt,
  startAt,
  timeAt,
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
    value: hasValue(records, i)
      ? records.bytes.slice(startAt(records, i), startAt(records, i) + sizeAt(records, i))
      : null,
  }));

/** Offsets from 7 on; before each value lie so many bytes of somebody else's. */
export function scattered(
  list: readonly { readonly content: Content; readonly value: Uint8Array | null; readonly gap: number }[],
): Records {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const records = emptyRecords(
    list.length,
    new Uint8Array(list.reduce((sum, { value, gap }) => sum + gap + (value?.length ?? 0), 0)),
  );
  for (const [i, { content, value, gap }] of list.entries()) {
    pieces.push(new Uint8Array(gap).fill(0x22), value ?? new Uint8Array(0));
    setRecord(records, i, i + 7, 1_000 + i, size + gap, value?.length ?? NULL_VALUE, content);
    size += gap + (value?.length ?? 0);
  }
  records.bytes.set(Buffer.concat(pieces));
  return records;
}
