import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildList, editList, type ListTable, openListTable } from "./listTable.ts";

const BYTES = [4, 20, 32] as const;
const hexOf = (entry: Uint8Array): string => Buffer.from(entry).toString("hex");
const pack = (entries: readonly string[]): Uint8Array => Uint8Array.from(Buffer.from(entries.join(""), "hex"));
const contentOf = (table: ListTable): string[] =>
  Array.from({ length: table.size }, (_, i) =>
    hexOf(table.entries.subarray(i * table.bytes, (i + 1) * table.bytes)),
  ).sort();
const has = (table: ListTable, entry: string): boolean => table.has(new Uint32Array(pack([entry]).buffer), 0);

/** Few different ones, that differ in one byte only: so they are added twice, removed, and added again. */
const entryOf = (bytes: number) =>
  fc.tuple(fc.nat(40), fc.nat(bytes - 1)).map(([value, at]) => {
    const entry = Buffer.alloc(bytes);
    entry[at] = value;
    return entry.toString("hex");
  });

describe("a list's table", () => {
  test("has what a Set has, through any edits, and those before stay as they were", () => {
    const input = fc.constantFrom(...BYTES).chain((bytes) => {
      const some = fc.array(entryOf(bytes), { maxLength: 60 });
      return fc.tuple(
        fc.constant(bytes),
        some,
        fc.array(fc.record({ added: some, removed: some }), { maxLength: 6 }),
        some,
      );
    });
    fc.assert(
      fc.property(input, ([bytes, first, edits, asked]) => {
        const builder = buildList(bytes, first.length);
        builder.add(pack(first));
        const truth = new Set(first);
        let table = builder.done();
        for (const { added, removed } of edits) {
          const before = [table, contentOf(table)] as const;
          table = editList(table, [{ added: pack(added), removed: pack(removed) }]);
          for (const entry of removed) truth.delete(entry);
          for (const entry of added) truth.add(entry);
          expect(contentOf(before[0])).toEqual(before[1]);
        }
        expect(contentOf(table)).toEqual([...truth].sort());
        const elsewhere = openListTable(table.buffer);
        for (const entry of [...asked, ...truth])
          expect([has(table, entry), has(elsewhere, entry)]).toEqual([truth.has(entry), truth.has(entry)]);
      }),
      { numRuns: 300 },
    );
  });

  test("several edits at once are those edits one after the other", () => {
    const entries = ["01", "02", "03"].map((byte) => byte.repeat(20));
    const [a, b, c] = entries.map((entry) => pack([entry]));
    const none = new Uint8Array(0);
    const table = editList(buildList(20, 0).done(), [
      { added: a!, removed: none },
      { added: b!, removed: a! },
      { added: c!, removed: a! },
      { added: a!, removed: c! },
    ]);
    expect(contentOf(table)).toEqual([entries[0], entries[1]].sort());
  });

  test("a million addresses: what it takes", () => {
    const count = 1_000_000;
    const all = new Uint32Array(count * 5);
    let state = 1;
    for (let i = 0; i < all.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      all[i] = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d);
    }
    const [built, table] = timed(() => {
      const builder = buildList(20, count);
      builder.add(new Uint8Array(all.buffer));
      return builder.done();
    });
    const [edited, next] = timed(() => editList(table, [{ added: pack(["ab".repeat(20)]), removed: table.entries.slice(0, 20) }])); // biome-ignore format: one expression
    const [asked, found] = timed(() => {
      let hits = 0;
      for (let i = 0; i < count; i++) if (next.has(all, ((i * 7_919) % count) * 5)) hits++;
      return hits;
    });
    expect([table.size, next.size, found]).toEqual([count, count, count - 1]);
    const mb = (next.buffer.byteLength / 2 ** 20).toFixed(1);
    const ns = ((asked * 1e6) / count).toFixed(0);
    console.log(
      `a list of a million addresses: ${mb} MiB, built in ${built.toFixed(0)} ms, edited in ${edited.toFixed(0)} ms, ${ns} ns a look-up that hits (wall time)`,
    );
  });
});

function timed<T>(work: () => T): [ms: number, result: T] {
  const began = performance.now();
  const result = work();
  return [performance.now() - began, result];
}
