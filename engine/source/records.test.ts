import fc from "fast-check";
import { expect, test } from "vitest";
import { createRecordQueue } from "../dispatch/recordQueue.ts";
import { CONTENT, NULL_VALUE } from "../frame/content.ts";
import { messagesOf } from "../kafka/consumeBatch.ts";
import { type Batch, batchOf, packBatch, tableOf } from "./batch.ts";
import { byPartition, recordsByPartition } from "./kafka.ts";
import { bytesOf, letGo, recordsOf } from "./records.ts";
import { listOf, surrounded } from "./testing/records.ts";

const value = fc.option(fc.uint8Array({ maxLength: 20 }));
const record = fc.record({ content: fc.constantFrom(...Object.values(CONTENT)), value });

/** What a worker reads of each record. */
const readBatch = ({ parts }: Batch) =>
  parts.map(tableOf).flatMap(({ count, bytes, f64, u32 }) =>
    Array.from({ length: count }, (_, i) => {
      const [start, length] = [u32[i * 8 + 4]!, u32[i * 8 + 5]!];
      const value = length === NULL_VALUE ? null : bytes.slice(start, start + length);
      return { offset: f64[i * 4]!, time: f64[i * 4 + 1]!, content: u32[i * 8 + 6]!, value };
    }),
  );

test("a batch has what its records have, in whatever parts they came: small ones together, large ones where they are", () => {
  const large = { content: CONTENT.json, value: new Uint8Array(40_000).fill(7) };
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: record }, fc.constant(large))),
      fc.array(fc.nat({ max: 5 })),
      (list, sizes) => {
        const whole = surrounded(list);
        const queue = createRecordQueue();
        queue.add(whole);
        const parts = [...sizes.flatMap((size) => queue.take(Math.min(size, queue.count))), ...queue.take(queue.count)];
        const { batch, held } = batchOf("s", 0, 7, 7 + list.length, parts);
        expect(readBatch(batch)).toEqual(listOf(whole));
        expect(batch).toMatchObject({ count: list.length, size: 32 * list.length + bytesOf(whole) });
        const isCopied = batch.parts.length === 1 && batch.parts[0]!.bytes !== whole.bytes;
        expect(isCopied).toBe(parts.length > 1 && batch.size < parts.length * 32_768);
        expect(held.flatMap(listOf)).toEqual(listOf(whole));
        expect(whole.held.records).toBe(isCopied ? 0 : list.length);
        expect(readBatch(packBatch("s", 0, 7, 7, listOf(whole)))).toEqual(listOf(whole));
        expect(listOf(recordsOf(listOf(whole)))).toEqual(listOf(whole));
      },
    ),
  );
});

test("records read in bulk are by partition what the client's own messages are", () => {
  const types = ["application/json", "Application/X-NDJSON; charset=utf-8", "text/plain"];
  const message = fc.record({ partition: fc.nat({ max: 2 }), type: fc.constantFrom(0, 1, 2, 3, 0x10000), value });
  fc.assert(
    fc.property(fc.array(message), (list) => {
      const bytes = new SharedArrayBuffer(list.length * 32 + 20 * list.length);
      const all = new Uint8Array(bytes);
      const f64 = new Float64Array(bytes, 0, list.length * 4);
      const u32 = new Uint32Array(bytes, 0, list.length * 8);
      let [i, at] = [0, list.length * 32];
      const parts = [0, 1, 2].flatMap((partition) => {
        const its = list.filter((message) => message.partition === partition);
        const part = { topic: "t", partition, at: i * 32, count: its.length, looks: 0 };
        for (const { type, value } of its) {
          f64.set([i, 5_000 - i], i * 4);
          u32.set([at, value?.length || NULL_VALUE, type, 0], i * 8 + 4);
          all.set(value ?? [], at);
          at += value?.length ?? 0;
          i++;
        }
        return its.length > 0 ? [part] : [];
      });
      let released = 0;
      const table = { bytes, parts, contentTypes: types, release: () => void released++ };
      const plain = ([partition, records]: readonly [number, ReturnType<typeof listOf>]) => [
        partition,
        records.map(({ value, ...rest }) => ({ ...rest, value: value && [...value] })),
      ];
      const messages = [...byPartition(messagesOf(table))].map(plain); // before the contents are put in place of their names
      expect(released).toBe(1);
      const read = [...recordsByPartition(table)];
      expect(read.map(([partition, records]) => plain([partition, listOf(records)]))).toEqual(messages);
      for (const [, records] of read) {
        expect(released).toBe(1);
        letGo(records);
      }
      expect(released).toBe(list.length > 0 ? 2 : 1);
    }),
  );
});
