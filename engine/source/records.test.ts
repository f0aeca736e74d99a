import fc from "fast-check";
import { expect, test } from "vitest";
import { createRecordQueue } from "../dispatch/recordQueue.ts";
import { CONTENT, NULL_VALUE } from "../frame/content.ts";
import { messagesOf } from "../kafka/consumeBatch.ts";
import { type Batch, packBatch, packRecords } from "./batch.ts";
import { byPartition, recordsByPartition } from "./kafka.ts";
import { recordsOf } from "./records.ts";
import { listOf, scattered } from "./testing/records.ts";

const value = fc.option(fc.uint8Array({ maxLength: 20 }));
const record = fc.record({
  content: fc.constantFrom(...Object.values(CONTENT)),
  value,
  gap: fc.constantFrom(0, 0, 3),
});

/** What a worker reads of each record. */
function readBatch({ bytes, count }: Batch) {
  const f64 = new Float64Array(bytes, 0, count * 4);
  const u32 = new Uint32Array(bytes, 0, count * 8);
  return Array.from({ length: count }, (_, i) => {
    const [start, length] = [u32[i * 8 + 4]!, u32[i * 8 + 5]!];
    const value = length === NULL_VALUE ? null : new Uint8Array(bytes).slice(start, start + length);
    return { offset: f64[i * 4]!, time: f64[i * 4 + 1]!, content: u32[i * 8 + 6]!, value };
  });
}

test("a batch has what its records have, however they lie and in whatever parts they came; its bytes are the same", () => {
  fc.assert(
    fc.property(fc.array(record), fc.array(fc.nat({ max: 5 })), (list, sizes) => {
      const whole = scattered(list);
      const queue = createRecordQueue();
      queue.add(whole);
      const parts = [...sizes.flatMap((size) => queue.take(Math.min(size, queue.count))), ...queue.take(queue.count)];
      const batch = packRecords("s", 0, 7, 7 + list.length, parts);
      expect(readBatch(batch)).toEqual(listOf(whole));
      expect(Buffer.compare(Buffer.from(batch.bytes), Buffer.from(packBatch("s", 0, 7, 7, listOf(whole)).bytes))).toBe(
        0,
      );
      expect(listOf(recordsOf(listOf(whole)))).toEqual(listOf(whole));
    }),
  );
});

test("records read in bulk are by partition what the client's own messages are", () => {
  const types = ["application/json", "Application/X-NDJSON; charset=utf-8", "text/plain"];
  const message = fc.record({ partition: fc.nat({ max: 2 }), type: fc.constantFrom(0, 1, 2, 0xffff), value });
  fc.assert(
    fc.property(fc.array(message), (list) => {
      const size = list.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      const bytes = new ArrayBuffer(list.length * 32 + size);
      const f64 = new Float64Array(bytes, 0, list.length * 4);
      const u32 = new Uint32Array(bytes, 0, list.length * 8);
      let at = list.length * 32;
      for (const [i, { partition, type, value }] of list.entries()) {
        f64.set([i, 5_000 - i], i * 4);
        u32.set([at, value?.length ?? NULL_VALUE, partition, type * 0x10000], i * 8 + 4);
        new Uint8Array(bytes).set(value ?? [], at);
        at += value?.length ?? 0;
      }
      const table = { bytes, count: list.length, topics: ["t"], contentTypes: types };
      const plain = ([partition, records]: readonly [number, ReturnType<typeof listOf>]) => [
        partition,
        records.map(({ value, ...rest }) => ({ ...rest, value: value && [...value] })),
      ];
      const read = [...recordsByPartition(table)].map(([partition, records]) => [partition, listOf(records)] as const);
      expect(read.map(plain)).toEqual([...byPartition(messagesOf(table))].map(plain));
    }),
  );
});
