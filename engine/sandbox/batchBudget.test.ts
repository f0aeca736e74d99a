/** What one batch may cost, whatever a rule does in it. Fuel is what is asserted: time follows from it. */
import { describe, expect, it } from "vitest";
import { readmit } from "./admit.ts";
import { RUN_LIMITS, type RunLimits } from "./limits.ts";
import { createRule } from "./rule.ts";
import {
  all,
  appendRecord,
  FUNCTION,
  I32,
  INPUT,
  NONCE,
  op,
  type TestModule,
  testFrames,
  testModule,
} from "./testModule.ts";

function compile(options: TestModule): WebAssembly.Module {
  const admitted = readmit(testModule(options));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return new WebAssembly.Module(admitted.module);
}
const codes = (failures: readonly { transaction: number; code: string }[]) =>
  failures.map(({ transaction, code }) => `${transaction} ${code}`);
/** Counts down from n: 5n + 2 fuel. Needs local 1. */
const burn = (rounds: number) => [
  ...op.i32(rounds),
  ...op.setLocal(1),
  ...op.loop(op.local(1), op.i32(1), [0x6b], [0x22, 1], [0x0d, 0]),
];
const locals: [number, number][] = [[1, I32]];
const tag = appendRecord(2, 1, 0x61, 0);
const nonce = [...op.local(0), ...op.load(NONCE)];
const expensiveStart = {
  more: [op.loop([...op.get(2), ...op.i32(1), ...op.add, 0x24, 2], [...op.get(2), ...op.i32(90_000), 0x48, 0x0d, 0])],
  start: FUNCTION.more,
};

describe("a batch's fuel", () => {
  const limits: RunLimits = { ...RUN_LIMITS, fuel: 10_000, batchFuel: 50_000 };
  const onTx = [...burn(999), ...tag]; // 5,031 fuel: the tenth transaction begins with 4,721 left and may finish

  it("ends the rule's part of the batch: what is left of it fails with a code of its own", () => {
    const each = createRule(compile({ onTx, locals }), limits).run(testFrames(1), all(1), 1).fuel;
    const { matches, failures, fuel, evaluations } = createRule(compile({ onTx, locals }), limits).run(
      testFrames(14),
      all(14),
      14,
    );
    expect(matches.map(({ transaction }) => transaction)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(codes(failures)).toEqual(["10 batch_fuel", "11 batch_fuel", "12 batch_fuel", "13 batch_fuel"]);
    expect(failures[0]?.message).toBe("Cannot begin: the batch's 50000 fuel is used up by the transactions before");
    expect(fuel).toBe(10 * each);
    expect(evaluations).toBe(14);
  });

  it("is the same on a replay, in a new instance and in one that has run other batches", () => {
    const module = compile({
      onTx: [...nonce, ...op.i32(7), 0x70, ...op.i32(3), ...op.equal, ...op.when(op.unreachable), ...onTx],
      locals,
    });
    const budget = { ...limits, batchFuel: 2 * limits.instanceFuel };
    const used = createRule(module, budget);
    used.run(
      testFrames(3, () => 100_000),
      all(3),
      3,
    ); // another capacity
    for (let replay = 0; replay < 3; replay++) {
      const fresh = createRule(module, budget).run(testFrames(200), all(200), 200);
      expect(used.run(testFrames(200), all(200), 200)).toEqual(fresh);
      expect(codes(fresh.failures).at(-1)).toBe("199 batch_fuel");
      expect(fresh.failures[0]).toMatchObject({ transaction: 3, code: "unreachable" });
    }
  });

  it("holds over the calls that a large batch is split into", () => {
    const rule = createRule(compile({ onTx, locals }), { ...limits, inputBytes: 1024 * 1024 });
    const { failures } = rule.run(
      testFrames(14, () => 400_000),
      all(14),
      14,
    );
    expect(codes(failures)).toEqual(["10 batch_fuel", "11 batch_fuel", "12 batch_fuel", "13 batch_fuel"]);
  });

  /** what each transaction that began has cost at least, with a tenth of the real budgets */
  const cases: [string, TestModule, number][] = [
    ["spends nearly a transaction's fuel on each", { onTx: burn(79_000), locals }, 395_000],
    ["runs out of fuel on each", { onTx: op.loop(op.br(0)) }, 400_000 + RUN_LIMITS.instanceFuel],
    ["traps on each, and starts expensively", { onTx: op.unreachable, ...expensiveStart }, 700_000 + RUN_LIMITS.instanceFuel],
    ["traps on each", { onTx: op.unreachable }, RUN_LIMITS.instanceFuel],
    ["spins where its input area is small, as it is after a trap", { onTx: op.unreachable, reserve: [...op.local(0), ...op.i32(65_537), 0x48, ...op.when(op.loop(op.br(0))), ...op.i32(INPUT)] }, 1_000_000 + RUN_LIMITS.instanceFuel],
  ]; // biome-ignore format: a table
  it.each(cases)("bounds a rule that %s", (_, options, cost) => {
    const tenth = { ...RUN_LIMITS, fuel: 400_000, initFuel: 1_000_000, batchFuel: RUN_LIMITS.batchFuel / 10 };
    const module = compile({ ...options, sections: { 5: [1, 0, 40] } }); // room for 2 MiB of input
    const { failures } = createRule(module, tenth).run(testFrames(4_096), all(4_096), 4_096);
    const began = 4_096 - failures.filter(({ code }) => code === "batch_fuel").length;
    expect(began).toBeGreaterThan(10);
    expect(began).toBeLessThan(tenth.batchFuel / cost + 2);
    expect(failures.at(-1)).toMatchObject({ transaction: 4_095, code: "batch_fuel" });
  });

  it("is not met by fewer than 128 transactions, whatever they cost short of trapping", () => {
    const { failures } = createRule(compile({ onTx: burn(799_990), locals })).run(testFrames(128), all(128), 128);
    expect(failures).toEqual([]);
  });
});

it("a batch's results have a limit of their own", () => {
  const rule = createRule(compile({ onTx: new Array(70).fill(tag).flat() }), { ...RUN_LIMITS, batchResults: 1_000 });
  const { matches, failures } = rule.run(testFrames(20), all(20), 20);
  expect(matches).toHaveLength(14 * 70);
  expect(codes(failures)).toEqual([14, 15, 16, 17, 18, 19].map((n) => `${n} too_many_results`));
  expect(failures[0]?.message).toBe("Cannot keep the results: more than 1000 for one batch");
});
