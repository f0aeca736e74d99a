/** Every condition of a filter against the same condition in plain JavaScript over the records' JSON. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { mainnetLines, transaction } from "../frame/testing/records.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import type { Filter } from "../sandbox/parseManifest.ts";
import { compileFilter } from "./candidates.ts";

function selected(records: readonly TransactionRecord[], filter: Filter): number[] {
  const writer = createFrameWriter();
  for (const record of records) writeFrame(writer, record);
  const into = new Uint32Array(records.length);
  const found = compileFilter(filter).select({ words: writer.u32, offsets: writer.offsets, count: writer.count }, into);
  return [...into.subarray(0, found)];
}

/** One line a condition, as the manifest describes it. */
const passes = (record: TransactionRecord, filter: Filter): boolean =>
  (filter.chains?.includes(record.chainId) ?? true) &&
  (filter.to?.includes(record.to ?? "") ?? true) &&
  (filter.from?.includes(record.from) ?? true) &&
  (filter.selectors?.includes(record.input.slice(0, 10)) ?? true) &&
  (filter.topics?.some((topic) => record.receipt?.logs?.some(({ topics }) => topics[0] === topic)) ?? true) &&
  (filter.minValue === undefined || BigInt(record.value) >= BigInt(filter.minValue)) &&
  (filter.created === undefined || filter.created === (record.to == null)) &&
  (filter.status === undefined || record.receipt?.status === `0x${filter.status}`) &&
  (filter.pending === undefined || filter.pending === (record.blockNumber == null));

const plain = (records: readonly TransactionRecord[], filter: Filter): number[] =>
  records.flatMap((record, i) => (passes(record, filter) ? [i] : []));

/** Filters whose values are those of the records, or one bit beside them: others would never match. */
function filterFor(records: readonly TransactionRecord[]): fc.Arbitrary<Filter> {
  const flip = (hex: string): string => hex.slice(0, -1) + (Number.parseInt(hex.at(-1)!, 16) ^ 1).toString(16);
  const near = (values: readonly string[]) =>
    fc.array(
      fc.tuple(fc.constantFrom(...values), fc.nat(3)).map(([hex, i]) => (i === 0 ? flip(hex) : hex)),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
  const some = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  const all = <T>(of: (record: TransactionRecord) => readonly (T | null | undefined)[], otherwise: T): T[] => {
    const found = records.flatMap(of).filter((value) => value != null) as T[];
    return found.length > 0 ? found : [otherwise];
  };
  const zeros = (bytes: number): string => `0x${"0".repeat(bytes * 2)}`;
  return fc
    .record({
      chains: some(fc.array(fc.constantFrom(...all(({ chainId }) => [chainId], 1)), { minLength: 1, maxLength: 3 })),
      to: some(near(all(({ to }) => [to], zeros(20)))),
      from: some(near(all(({ from }) => [from], zeros(20)))),
      selectors: some(near(all(({ input }) => (input.length >= 10 ? [input.slice(0, 10)] : []), zeros(4)))),
      topics: some(near(all((record) => record.receipt?.logs?.flatMap(({ topics }) => topics) ?? [], zeros(32)))),
      minValue: some(
        fc
          .tuple(fc.constantFrom(...all(({ value }) => [BigInt(value)], 0n)), fc.constantFrom(-1n, 0n, 1n))
          .map(([value, beside]) => String(value + beside < 0n ? 0n : BigInt.asUintN(256, value + beside))),
      ),
      created: some(fc.boolean()),
      status: some(fc.constantFrom(0 as const, 1 as const)),
      pending: some(fc.boolean()),
    })
    .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Filter);
}

describe("compileFilter()", () => {
  test("selects what plain JavaScript selects, of any transactions, for any conjunction", () => {
    const input = fc
      .array(transaction, { minLength: 1, maxLength: 12 })
      .chain((records) => fc.tuple(fc.constant(records), filterFor(records)));
    let hits = 0;
    fc.assert(
      fc.property(input, ([records, filter]) => {
        const expected = plain(records, filter);
        if (Object.keys(filter).length > 0) hits += expected.length;
        expect(selected(records, filter)).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
    expect(hits).toBeGreaterThan(200); // a filter that never matches would agree with anything
  });

  const one = (name: keyof Filter, records: readonly TransactionRecord[]) =>
    fc
      .sample(filterFor(records), { numRuns: 400, seed: 7 })
      .flatMap((filter) => (filter[name] === undefined ? [] : [{ [name]: filter[name] } as Filter]));

  test.each(["chains", "to", "from", "selectors", "topics", "minValue", "created", "status", "pending"] as const)(
    "%s alone: some pass and some do not",
    (name) => {
      const records = fc.sample(transaction, { numRuns: 300, seed: 42 });
      let [some, few] = [0, 0];
      for (const filter of one(name, records).slice(0, 30)) {
        const expected = plain(records, filter);
        expect(selected(records, filter)).toEqual(expected);
        if (expected.length > 0) some++;
        if (expected.length < records.length) few++;
      }
      expect(some).toBeGreaterThan(0);
      expect(few).toBeGreaterThan(0);
    },
  );

  test("an empty filter lets everything pass, and no frames give none", () => {
    const records = fc.sample(transaction, { numRuns: 5, seed: 1 });
    expect(selected(records, {})).toEqual([0, 1, 2, 3, 4]);
    expect(selected([], { created: true })).toEqual([]);
  });

  test("input that is shorter than a selector has none, also when its bytes are those of a selector of zeros", () => {
    const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });
    const inputs = ["0x", "0x00", "0x000000", "0x00000000", "0x0000000001"];
    const records = inputs.map((input) => ({ ...record!, input }));
    expect(selected(records, { selectors: ["0x00000000"] })).toEqual([3, 4]);
  });

  test("data of a log without topics is not a topic", () => {
    const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });
    const topic = `0x${"ab".repeat(32)}`;
    const log = { address: `0x${"1".repeat(40)}`, logIndex: "0x0" };
    const logs = [
      { ...log, topics: [], data: topic },
      { ...log, topics: [`0x${"0".repeat(64)}`], data: topic },
    ];
    const records = [logs, [{ ...log, topics: [topic], data: "0x" }]].map((all) => ({
      ...record!,
      receipt: { logs: all },
    }));
    expect(selected(records, { topics: [topic] })).toEqual([1]);
  });

  test("a contract creation is not a call of the zero address", () => {
    const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });
    const zero = `0x${"0".repeat(40)}`;
    expect(
      selected(
        [
          { ...record!, to: null },
          { ...record!, to: zero },
        ],
        { to: [zero] },
      ),
    ).toEqual([1]);
  });

  test("the same on mainnet transactions", (context) => {
    const lines = mainnetLines();
    if (lines.length === 0) context.skip("no mainnet data beside the checkout");
    const records = lines.map((line) => JSON.parse(line.toString()) as TransactionRecord);
    const filters = fc.sample(filterFor(records), { numRuns: 40, seed: 3 });
    const writer = createFrameWriter();
    for (const line of records) writeFrame(writer, line);
    const into = new Uint32Array(records.length);
    for (const filter of filters) {
      const frames = { words: writer.u32, offsets: writer.offsets, count: writer.count };
      const found = compileFilter(filter).select(frames, into);
      expect([...into.subarray(0, found)]).toEqual(plain(records, filter));
    }
  });
});
