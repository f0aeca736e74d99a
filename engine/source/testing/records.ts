/** Records for tests, and back. */
import type { Content } from "../../frame/content.ts";
import { NULL_VALUE } from "../../frame/content.ts";
import { type Batch, tableOf } from "../batch.ts";
import { looksLikeBlock } from "../peekBlock.ts";
import {
  contentAt,
  hasValue,
  offsetAt,
  RECORD_ENTRY_BYTES,
  type Records,
  recordsAt,
  type SourceRecord,
  setRecord,
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
export function surrounded(list: readonly { readonly content: Content; readonly value: Uint8Array | null }[]): Records {
  const [before, between] = [3 * RECORD_ENTRY_BYTES, 40];
  const size = list.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  let at = before + list.length * RECORD_ENTRY_BYTES + between;
  const bytes = new SharedArrayBuffer(at + size + between);
  const all = new Uint8Array(bytes).fill(0x22);
  const records = recordsAt(bytes, before, list.length, true);
  for (const [i, { content, value }] of list.entries()) {
    setRecord(
      records,
      i,
      i + 7,
      1_000 + i,
      at,
      value?.length ?? NULL_VALUE,
      content,
      value !== null && looksLikeBlock(value),
    );
    if (value) all.set(value, at);
    at += value?.length ?? 0;
  }
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
