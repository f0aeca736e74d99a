import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HEADER_SIZE, OFFSET, PRESENT } from "../frame/schema.ts";
import { entryLayout, type StateDeclaration, shapeOf, stateFate } from "./declaration.ts";
import { createStateSession, type Shown, type StateSession } from "./session.ts";
import { applyChange, createStateTable, restoreTable, type StateTable } from "./stateTable.ts";

const COUNTER = { name: "seen", kind: "counter", key: "address", value: "u64" } as const;
const WINDOW = { name: "volume", kind: "window", key: "bytes32", value: "u256", seconds: 60, buckets: 6 } as const;

const SIZE = { u64: 64, i64: 64, f64: 64, u256: 256 } as const;

function toWords(value: bigint, words: number): Uint32Array {
  return Uint32Array.from({ length: words }, (_, i) => Number(BigInt.asUintN(32, value >> BigInt(32 * i))));
}
const fromWords = (words: Uint32Array, count: number): bigint =>
  words.subarray(0, count).reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
const f64 = (value: number): bigint => new BigUint64Array(Float64Array.of(value).buffer)[0]!;
const keyOf = (n: number): Uint32Array => Uint32Array.from({ length: 8 }, (_, i) => (n >>> (i % 2)) * (i + 1));

/** What it should be: plain numbers by key. Whole numbers stop at their borders; a window is all that was ever added, with its time. */
function createModel(declaration: StateDeclaration) {
  const bits = SIZE[declaration.value];
  const [least, most] = declaration.value === "i64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** BigInt(bits) - 1n];
  const stop = (value: bigint): bigint => (value < least ? least : value > most ? most : value);
  const added = new Map<number, { bucket: number; amount: bigint }[]>();
  const counted = new Map<number, bigint>();
  const bucket = (second: number) =>
    declaration.kind === "window" ? Math.floor(second / (declaration.seconds / declaration.buckets)) : 0;
  const sum = (key: number, second: number): bigint => {
    if (declaration.kind === "counter") return counted.get(key) ?? 0n;
    const [last, newest] = [bucket(second), Math.max(...(added.get(key) ?? []).map((each) => each.bucket))];
    const first = Math.max(last, newest) - declaration.buckets + 1;
    // a bucket stops at the borders as what is added comes, their sum as they follow in time
    const buckets = new Map<number, bigint>();
    for (const { bucket, amount } of added.get(key) ?? [])
      buckets.set(bucket, stop((buckets.get(bucket) ?? 0n) + amount));
    return [...buckets]
      .filter(([bucket]) => bucket >= first && bucket <= last)
      .sort(([a], [b]) => a - b)
      .reduce((all, [, amount]) => stop(all + amount), 0n);
  };
  return {
    known: (key: number) => counted.has(key) || added.has(key),
    sum,
    add(key: number, second: number, amount: bigint): bigint {
      if (declaration.kind === "counter") counted.set(key, stop((counted.get(key) ?? 0n) + amount));
      else {
        const before = added.get(key) ?? [];
        const newest = Math.max(...before.map((each) => each.bucket));
        if (!(bucket(second) + declaration.buckets <= newest)) before.push({ bucket: bucket(second), amount });
        added.set(key, before);
      }
      return sum(key, second);
    },
    set: (key: number, amount: bigint) => void counted.set(key, amount),
    copy() {
      const copy = { counted: new Map(counted), added: new Map([...added].map(([key, list]) => [key, [...list]])) };
      return () => {
        counted.clear();
        added.clear();
        for (const [key, value] of copy.counted) counted.set(key, value);
        for (const [key, list] of copy.added) added.set(key, list);
      };
    },
  };
}

const write = fc.record({
  key: fc.nat(5),
  what: fc.constantFrom("add" as const, "get" as const, "set" as const),
  amount: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  small: fc.boolean(),
});
const transaction = fc.record({
  writes: fc.array(write, { maxLength: 4 }),
  traps: fc.boolean(),
  later: fc.integer({ min: -25, max: 40 }),
});
const whole = fc.constantFrom("u64" as const, "i64" as const, "u256" as const);
const declarations = fc.oneof(
  fc.record({
    name: fc.constant("a"),
    kind: fc.constant("counter" as const),
    key: fc.constantFrom("address" as const, "bytes32" as const),
    value: whole,
  }),
  fc.record({
    name: fc.constant("a"),
    kind: fc.constant("window" as const),
    key: fc.constant("address" as const),
    value: whole,
    seconds: fc.constant(60),
    buckets: fc.constantFrom(1, 6, 60),
  }),
);

/** Runs the transactions in batches; after each, the table takes its changes and may be made again from its entries. */
function run(
  declaration: StateDeclaration,
  batches: readonly (readonly {
    writes: readonly { key: number; what: "add" | "get" | "set"; amount: bigint; small: boolean }[];
    traps: boolean;
    second: number;
  }[])[],
  restore: boolean,
): { said: string[]; table: StateTable } {
  const said: string[] = [];
  const session = createStateSession([declaration]);
  const words = SIZE[declaration.value] / 32;
  let table = createStateTable(declaration);
  for (const batch of batches) {
    session.open([table], shown(batch.map(({ second }) => second * 1e6 + 999_999)));
    batch.forEach(({ writes, traps }, transaction) => {
      for (const { key, what, amount, small } of writes) {
        session.begin(transaction);
        const cell = new Uint32Array(8);
        cell.set(toWords(small ? amount % 100n : BigInt.asUintN(words * 32, amount), words));
        const act = what === "set" && declaration.kind === "window" ? "get" : what;
        const there = session[act](0, keyOf(key), cell);
        said.push(`${transaction} ${act} ${key} ${there} ${fromWords(cell, words)}`);
      }
      if (traps) session.undo(transaction);
    });
    const [change] = session.close();
    if (change) applyChange(table, change);
    if (restore)
      table = restoreTable(declaration, table.keys.entries.slice(0, table.keys.count * table.keys.layout.entryWords));
  }
  return { said, table };
}

describe("state", () => {
  test("says what plain numbers say: sums, borders, windows in any order of time; what a transaction that traps wrote is undone", () => {
    fc.assert(
      fc.property(
        declarations,
        fc.array(fc.array(transaction, { maxLength: 6 }), { maxLength: 5 }),
        fc.boolean(),
        (declaration, plan, restore) => {
          let second = 1_000;
          const batches = plan.map((batch) =>
            batch.map(({ later, ...rest }) => ({ ...rest, second: (second += later) })),
          );
          const { said } = run(declaration, batches, restore);
          const model = createModel(declaration);
          const signed = (value: bigint) => (declaration.value === "i64" ? BigInt.asIntN(64, value) : value);
          const expected: string[] = [];
          for (const batch of batches) {
            batch.forEach(({ writes, traps, second }, transaction) => {
              const undo = model.copy();
              for (const { key, what, amount, small } of writes) {
                const act = what === "set" && declaration.kind === "window" ? "get" : what;
                const bits = SIZE[declaration.value];
                const value = signed(small ? amount % 100n : BigInt.asUintN(bits, amount));
                const there = model.known(key);
                let answer = value;
                if (act === "add") answer = model.add(key, second, value);
                else if (act === "get") answer = there ? model.sum(key, second) : 0n;
                else model.set(key, value);
                expected.push(`${transaction} ${act} ${key} ${there} ${BigInt.asUintN(bits, answer)}`);
              }
              if (traps) undo();
            });
          }
          expect(said).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("is the same however the stream is cut, also while keys are forgotten, and when it is read back in between", () => {
    const half = entryLayout(LARGE).half;
    expect(half).toBe(2_048);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 4 }),
        fc.boolean(),
        (seed, cuts, restore) => {
          let random = seed;
          const next = (below: number): number =>
            (random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0) % below;
          const all = Array.from({ length: 6_500 }, () => ({
            writes: [{ key: next(5_500), what: "add" as const, amount: 1n, small: true }],
            traps: next(50) === 0,
            second: 1_000,
          }));
          const lines = (batches: (typeof all)[]) => {
            const { said, table } = run(LARGE, batches, restore);
            const known = entriesOf(table);
            return {
              said: said.map((line) => line.replace(/^\d+ /, "")),
              known,
              generation: table.generation,
              young: table.young,
            };
          };
          const pieces: (typeof all)[] = [];
          let from = 0;
          for (const cut of cuts) pieces.push(all.slice(from, (from += cut)));
          const cut = lines([...pieces, all.slice(from)]);
          expect(cut).toEqual(lines([all]));
          expect(cut.generation).toBeGreaterThan(2);
          expect(cut.known.length).toBeLessThanOrEqual(half * 2);
        },
      ),
      { numRuns: 3 },
    );
  });

  test("the keys written last are known: half of what there may be at least, and all of it at most", () => {
    const half = entryLayout(LARGE).half;
    const once = (keys: number) => [
      Array.from({ length: keys }, (_, key) => ({
        writes: [{ key: key + 1, what: "add" as const, amount: 1n, small: true }],
        traps: false,
        second: 1_000,
      })),
    ];
    for (const keys of [half, half * 2, half * 3 + 7, half * 9 + 5]) {
      const { table } = run(LARGE, once(keys), false);
      const session = createStateSession([LARGE]);
      session.open([table], shown([1e9]));
      const known = (key: number) => read(session, keyOf(key));
      const last = Array.from({ length: keys }, (_, key) => known(key + 1)).lastIndexOf(false);
      expect(keys - last - 1).toBeGreaterThanOrEqual(Math.min(half, keys));
      expect(keys - last - 1).toBeLessThan(half * 2);
    }
  });

  test("pending transactions do not count where only mined ones do, and are told what there is", () => {
    for (const declaration of [COUNTER, WINDOW]) {
      const mined = { ...declaration, mined: true };
      const session = createStateSession([declaration, mined]);
      const tables = [createStateTable(declaration), createStateTable(mined)];
      session.open(tables, shown([1e9, 1e9, 1e9, 1e9], [0, 2]));
      const write = (transaction: number, i: number, what: "add" | "set" = "add"): [boolean, bigint] => {
        session.begin(transaction);
        const cell = new Uint32Array(8);
        cell[0] = 5;
        return [session[what](i, keyOf(1), cell), fromWords(cell, SIZE[declaration.value] / 32)];
      };
      const all = [0, 1, 2, 3].map((transaction) => [write(transaction, 0), write(transaction, 1)]);
      expect(all.map(([both]) => both)).toEqual([[false, 5n], [true, 10n], [true, 15n], [true, 20n]]); // biome-ignore format: four answers
      expect(all.map(([, one]) => one)).toEqual([[false, 0n], [false, 5n], [true, 5n], [true, 10n]]); // biome-ignore format: four answers
      if (declaration.kind === "counter") expect(write(2, 1, "set")).toEqual([true, 10n]);
      const [, change] = session.close();
      applyChange(tables[1]!, change!);
      session.open(tables, shown([1e9], [0]));
      expect(write(0, 1)).toEqual([true, 10n]);
      expect(session.close()[1]).toBeUndefined();
    }
  });

  test("a f64 is the sum in the order of the stream, and any NaN is one", () => {
    const share = { ...COUNTER, value: "f64" } as const;
    const session = createStateSession([share]);
    session.open([createStateTable(share)], shown([0, 0]));
    session.begin(0);
    const add = (bits: bigint): bigint => {
      const cell = new Uint32Array(8);
      cell.set(toWords(bits, 2));
      session.add(0, keyOf(1), cell);
      return fromWords(cell, 2);
    };
    expect(add(f64(0.1))).toBe(f64(0.1));
    expect(add(f64(0.2))).toBe(f64(0.1 + 0.2));
    expect(add(0xfff0_0000_dead_beefn)).toBe(0x7ff8_0000_0000_0000n);
  });
});

/** 4,096 keys, the fewest there are, so that a test sees them forgotten. */
const LARGE: StateDeclaration = { ...WINDOW, name: "large", key: "bytes32", buckets: 60 };

/** Mined transactions but for those at these places. */
function shown(events: readonly number[], pending: readonly number[] = []): Shown {
  const words = new Uint32Array(events.length * (HEADER_SIZE / 4));
  const frames = Uint32Array.from(events, (_, i) => i * HEADER_SIZE);
  for (const [i, frame] of frames.entries())
    if (!pending.includes(i)) words[(frame + OFFSET.present) >> 2] = PRESENT.blockNumber;
  return { words, frames, events: Float64Array.from(events) };
}

const read = (session: StateSession, key: Uint32Array): boolean => {
  session.begin(0);
  return session.get(0, key, new Uint32Array(8));
};

function entriesOf({ keys, generation }: StateTable): string[] {
  const { entries, count, layout } = keys;
  const all: string[] = [];
  for (let at = 0; at < count * layout.entryWords; at += layout.entryWords)
    if (entries[at]! >= generation - 1) all.push(entries.subarray(at, at + layout.entryWords).join(" "));
  return all.sort();
}

test("what becomes of state with the next version", () => {
  expect(stateFate([], [COUNTER])).toBeUndefined();
  expect(stateFate([COUNTER], [COUNTER, WINDOW])).toEqual({ state: "kept", why: "" });
  expect(stateFate([COUNTER, WINDOW], [{ ...WINDOW, seconds: 120 }, COUNTER])).toEqual({
    state: "reset",
    why: '"volume" was a window bytes32 u256 60s 6 buckets and is a window bytes32 u256 120s 6 buckets: it begins empty; the other one goes on',
  });
  expect(stateFate([COUNTER], [])).toEqual({ state: "reset", why: '"seen" is declared no more' });
  expect(stateFate([COUNTER], [{ ...COUNTER, mined: true }])?.why).toBe(
    '"seen" was a counter address u64 and is a counter address u64 mined: it begins empty',
  );
  expect(shapeOf(COUNTER)).toBe("counter address u64");
});
