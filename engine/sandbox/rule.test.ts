import { describe, expect, it } from "vitest";
import { readmit } from "./admit.ts";
import { BLOCK_SHIFT } from "./inject.ts";
import { RUN_LIMITS, type RunLimits } from "./limits.ts";
import { createRule } from "./rule.ts";
import type { RuleRun } from "./ruleRun.ts";
import { compileGuest } from "./testGuest.ts";
import {
  all,
  appendRecord,
  COUNTER,
  END,
  FUNCTION,
  I32,
  INPUT,
  NONCE,
  OUT,
  OUT_LENGTH,
  op,
  type TestModule,
  TYPE,
  testFrames,
  testModule,
} from "./testModule.ts";
import { leb } from "./wasm/writer.ts";

function ruleOf(options: TestModule, limits: RunLimits = RUN_LIMITS) {
  const admitted = readmit(testModule(options));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return createRule(new WebAssembly.Module(admitted.module), limits);
}
const run = (options: TestModule, count = 5, limits = RUN_LIMITS) =>
  ruleOf(options, limits).run(testFrames(count), all(count), count);

const nonce = [...op.local(0), ...op.load(NONCE)];
/** if the transaction's number is n: code */
const whenTx = (n: number, ...code: number[][]) => [...nonce, ...op.i32(n), ...op.equal, ...op.when(...code)];
const ALERT = 1 | (3 << 8); // severity 3
/** an alert of 8 letters */
const alert = appendRecord(ALERT, 8, 0x64636261, 0x68676665);
const vector = (items: number[][]) => [...leb(items.length), ...items.flat()];
const spin = op.loop(op.br(0));

const matched = ({ matches }: RuleRun) => matches.map(({ transaction }) => transaction);
const failed = ({ failures }: RuleRun) => failures.map(({ transaction, code }) => [transaction, code]);

describe("a rule", () => {
  it("reports alerts, tags and scores with their transaction", () => {
    const score = appendRecord(3, 8, 0, 0x3fe80000); // 0.75
    const result = run({ onTx: [...whenTx(1, alert), ...whenTx(3, appendRecord(2, 3, 0x00636261, 0), score)] });
    expect(result.failures).toEqual([]);
    expect(result.matches).toEqual([
      { transaction: 1, kind: 1, severity: 3, text: "abcdefgh", score: 0 },
      { transaction: 3, kind: 2, severity: 0, text: "abc", score: 0 },
      { transaction: 3, kind: 3, severity: 0, text: "", score: 0.75 },
    ]);
    expect(result.evaluations).toBe(5);
  });

  it("sees the candidates only, whole, and answers with their numbers in the batch", () => {
    const frames = testFrames(100, (n) => 416 + (n % 5) * 200);
    const indices = Uint32Array.of(2, 3, 4, 50, 98, 99, 0, 0);
    // reports the last word of its frame, which lies at frame + size − 4
    const lastWord = [
      ...op.local(0),
      ...op.local(0),
      ...op.load(4),
      ...op.add,
      ...op.i32(-4),
      ...op.add,
      ...op.load(0),
    ];
    for (let n = 0; n < 100; n++) frames.words[(frames.offsets[n]! + 416 + (n % 5) * 200) / 4 - 1] = 1000 + n;
    // header first, then the word in place of its content
    const header = [...op.i32(OUT), ...op.get(OUT_LENGTH), ...op.add, ...op.i32(2), ...op.store(0)];
    const length = [...op.i32(OUT), ...op.get(OUT_LENGTH), ...op.add, ...op.i32(4), ...op.store(4)];
    const count = [...op.get(OUT_LENGTH), ...op.i32(16), ...op.add, ...op.set(OUT_LENGTH)];
    // tag bytes must be UTF-8: 1,000 + n is not, so keep the low 7 bits
    const low = [...lastWord, ...op.i32(0x7f), 0x71];
    const content = [...op.i32(OUT), ...op.get(OUT_LENGTH), ...op.add, ...low, ...op.store(8)];
    const result = ruleOf({ onTx: [...header, ...length, ...content, ...count] }).run(frames, indices, 6);
    expect(result.failures).toEqual([]);
    expect(result.matches.map(({ transaction, text }) => [transaction, text.charCodeAt(0)])).toEqual(
      [2, 3, 4, 50, 98, 99].map((n) => [n, (1000 + n) & 0x7f]),
    );
  });

  it("gives the same results and fuel however transactions are cut into batches", () => {
    const onTx = [
      ...alert,
      ...op.get(COUNTER),
      ...op.i32(1),
      ...op.add,
      ...op.set(COUNTER),
      ...whenTx(7, op.unreachable),
    ];
    const rule = ruleOf({ onTx });
    const frames = testFrames(20);
    const whole = rule.run(frames, all(20), 20);
    const parts = [all(20).slice(0, 3), all(20).slice(3, 8), all(20).slice(8)].map((part) =>
      rule.run(frames, part, part.length),
    );
    expect(parts.flatMap(matched)).toEqual(matched(whole));
    expect(parts.flatMap(failed)).toEqual([[7, "unreachable"]]);
    expect(failed(whole)).toEqual([[7, "unreachable"]]);
    expect(parts.reduce((sum, { fuel }) => sum + fuel, 0)).toBe(whole.fuel);
  });

  it("splits a batch over the input's limit, and reports a frame that cannot fit", () => {
    const frames = testFrames(6, (n) => (n === 2 ? 1024 * 1024 : 400_000));
    // The test module's memory holds 1 MiB of input, not the engine's 2.
    const result = ruleOf({ onTx: alert }, { ...RUN_LIMITS, inputBytes: 1024 * 1024 }).run(frames, all(6), 6);
    expect(matched(result)).toEqual([0, 1, 3, 4, 5]);
    expect(result.failures).toEqual([
      {
        transaction: 2,
        code: "frame_too_large",
        message: "Cannot show the rule a transaction of 1048576 bytes: expected at most 1048568",
      },
    ]);
  });
});

describe("a trap costs one transaction", () => {
  const table = vector([[0, ...op.i32(0), END, 1, FUNCTION.more]]); // slot 0: a function of another type than called
  const cases: [string, TestModule, string, RegExp][] = [
    ["endless loop", { onTx: whenTx(2, spin) }, "fuel", /the transaction's 4000000 fuel is used up/],
    ["recursion without end", { onTx: whenTx(2, op.call(FUNCTION.more)), more: [op.call(FUNCTION.more)] }, "stack", /the stack is used up/],
    ["mutual recursion", { onTx: whenTx(2, op.call(5)), more: [op.call(6), op.call(5)] }, "stack", /the stack is used up/],
    ["growing memory without end", { onTx: whenTx(2, op.loop([...op.i32(1), 0x40, 0, ...op.drop], op.br(0))) }, "fuel", /fuel/],
    ["unreachable", { onTx: whenTx(2, op.unreachable) }, "unreachable", /unreachable/],
    ["reading past the end", { onTx: whenTx(2, [...op.i32(-4), ...op.load(), ...op.drop]) }, "out_of_bounds", /memory access out of bounds/],
    ["writing past the end", { onTx: whenTx(2, [...op.i32(21 * 65_536 - 3), ...op.i32(1), ...op.store()]) }, "out_of_bounds", /out of bounds/],
    ["filling past the end", { onTx: whenTx(2, [...op.i32(8), ...op.i32(0), ...op.i32(2_000_000), 0xfc, 11, 0]) }, "out_of_bounds", /out of bounds/],
    ["division by zero", { onTx: whenTx(2, [...op.i32(1), ...op.i32(0), 0x6d, ...op.drop]) }, "division", /divide by zero/],
    ["overflowing division", { onTx: whenTx(2, [...op.i32(-(2 ** 31)), ...op.i32(-1), 0x6d, ...op.drop]) }, "division", /unrepresentable/],
    ["converting NaN", { onTx: whenTx(2, [0x43, 0, 0, 0xc0, 0x7f, 0xa8, ...op.drop]) }, "conversion", /unrepresentable/],
    ["calling null", { onTx: whenTx(2, [...op.i32(0), 0x11, TYPE.nothing, 0]) }, "indirect_call", /null function|signature/],
    ["calling outside the table", { onTx: whenTx(2, [...op.i32(9), 0x11, TYPE.nothing, 0]) }, "indirect_call", /table/],
    ["calling another type", { onTx: whenTx(2, [...op.i32(0), 0x11, TYPE.pointer, 0, ...op.drop]), more: [[]], sections: { 9: table } }, "indirect_call", /signature/],
    ["abort without strings", { onTx: whenTx(2, [...op.i32(0), ...op.i32(-8), ...op.i32(3), ...op.i32(9), ...op.call(0)]) }, "abort", /^no message at \?:3:9$/],
    ["abort through the table", { onTx: whenTx(2, [...op.i32(0), ...op.i32(0), ...op.i32(3), ...op.i32(9), ...op.i32(0), 0x11, TYPE.abort, 0]), sections: { 9: vector([[0, ...op.i32(0), END, 1, FUNCTION.abort]]) } }, "abort", /^no message at \?:3:9$/],
    ["abort with a message", { onTx: whenTx(2, [...op.i32(1024), ...op.i32(0), ...op.i32(3), ...op.i32(9), ...op.call(0)]) }, "abort", /^\{"name":"test"\} at \?:3:9$/],
    ["abort with a lie for a message", { onTx: whenTx(2, [...op.i32(20 * 65_536), ...op.i32(1), ...op.i32(3), ...op.i32(9), ...op.call(0)]) }, "abort", /^no message at \?:3:9$/],
  ]; // biome-ignore format: a table
  it.each(cases)("%s", (_, hostile, code, message) => {
    const result = run({ ...hostile, onTx: [...alert, ...hostile.onTx!] });
    expect(failed(result)).toEqual([[2, code]]);
    expect(result.failures[0]?.message).toMatch(message);
    expect(matched(result)).toEqual([0, 1, 3, 4]);
    expect(result.evaluations).toBe(5);
  });

  it("even if every transaction traps, or the rule never comes to run", () => {
    expect(failed(run({ onTx: op.unreachable }, 3))).toEqual([0, 1, 2].map((n) => [n, "unreachable"]));
    expect(failed(run({ reserve: [...spin, ...op.i32(0)] }, 3))).toEqual([0, 1, 2].map((n) => [n, "fuel"]));
    expect(failed(run({ out: [...op.unreachable] }, 3))).toEqual([0, 1, 2].map((n) => [n, "unreachable"]));
  });

  it.each([
    ["not in the memory", op.i32(20 * 65_536 - 16)],
    ["negative", op.i32(-16)],
    ["at no multiple of 16", op.i32(INPUT + 8)],
  ])("a lie about the input area: %s", (_, reserve) => {
    expect(failed(run({ reserve }, 2))).toEqual([0, 1].map((n) => [n, "bad_pointer"]));
  });
  it.each([
    ["behind the memory", op.i32(20 * 65_536 + 8)],
    ["negative", op.i32(-8)],
    ["at no multiple of 8", op.i32(OUT + 4)],
  ])("a lie about the results: %s", (_, out) => {
    expect(failed(run({ out }, 2))).toEqual([0, 1].map((n) => [n, "bad_pointer"]));
  });

  it("charges a transaction that failed what it used, and one that ran out its whole budget", () => {
    const calm = run({ onTx: whenTx(99, op.unreachable) }, 3).fuel;
    expect(run({ onTx: whenTx(1, spin) }, 3).fuel - calm).toBeGreaterThan(RUN_LIMITS.fuel - 20);
    const spent = [
      ...op.i32(1000),
      ...op.setLocal(1),
      ...op.loop(op.local(1), op.i32(1), [0x6b], [0x22, 1], [0x0d, 0]),
    ];
    const zero = op.i32(0);
    const trapping: [string, number[]][] = [
      ["unreachable", op.unreachable],
      ["abort", [...zero, ...zero, ...zero, ...zero, ...op.call(FUNCTION.abort)]],
      ["division", [...zero, ...zero, 0x6d, ...op.drop]],
      ["conversion", [0x43, 0, 0, 0xc0, 0x7f, 0xa8, ...op.drop]],
      ["indirect_call", [...zero, 0x11, TYPE.nothing, 0]],
    ]; // biome-ignore format: a table
    for (const [code, trap] of trapping) {
      const result = run({ onTx: whenTx(1, spent, trap), locals: [[1, I32]] }, 3);
      expect(failed(result)).toEqual([[1, code]]);
      expect(result.fuel - calm, code).toBeGreaterThan(5_000);
      expect(result.fuel - calm, code).toBeLessThan(5_040);
    }
    // but for an access out of bounds: what it had used is not known
    expect(run({ onTx: whenTx(1, [...op.i32(-4), ...op.load(), ...op.drop]) }, 3).fuel - calm).toBeGreaterThan(
      RUN_LIMITS.fuel - 20,
    );
  });
});

describe("result records that break the ABI fail their transaction only", () => {
  const grown = (bytes: number) => [...op.get(OUT_LENGTH), ...op.i32(bytes), ...op.add, ...op.set(OUT_LENGTH)];
  const cases: [string, number[], string, RegExp][] = [
    ["unknown kind", appendRecord(9, 8, 0, 0), "bad_result", /kind 9/],
    ["unknown severity", appendRecord(1 | (7 << 8), 8, 0, 0), "bad_result", /severity 7/],
    ["reserved bytes", appendRecord(1 | (1 << 16), 8, 0, 0), "bad_result", /bytes 2 and 3/],
    ["content past the end", appendRecord(ALERT, 9, 0, 0), "bad_result", /9 bytes of content, 8 are there/],
    ["4 GiB of content", appendRecord(ALERT, -1, 0, 0), "bad_result", /4294967295 bytes of content/],
    ["text that is not UTF-8", appendRecord(ALERT, 4, -1, 0), "bad_result", /UTF-8/],
    ["score over 1", appendRecord(3, 8, 0, 0x40000000), "bad_result", /score 2/],
    ["score NaN", appendRecord(3, 8, 0, 0x7ff80000), "bad_result", /score NaN/],
    ["score of 4 bytes", appendRecord(3, 4, 0, 0), "bad_result", /of 4 bytes/],
    ["a length without records", grown(8), "bad_result", /kind 0/],
    ["a length that is odd", grown(4), "bad_result", /multiple of 8/],
    ["a length past the memory", grown(2 ** 30), "bad_result", /within the memory/],
    ["a length below what was", [...op.i32(8), ...op.set(OUT_LENGTH)], "bad_result", /at least/],
    ["an alert of 1,032 bytes", [...appendRecord(ALERT, 1032, 0, 0), ...grown(1024)], "bad_result", /at most 1024/],
    ["a tag of 72 bytes", [...appendRecord(2, 72, 0, 0), ...grown(64)], "bad_result", /at most 64/],
    ["too many", new Array(257).fill(appendRecord(2, 1, 0x61, 0)).flat(), "too_many_results", /more than 256/],
  ]; // biome-ignore format: a table
  it.each(cases)("%s", (name, code, expected, message) => {
    const result = run({ onTx: [...whenTx(2, code), ...nonce, ...op.i32(2), 0x47, ...op.when(alert)] }, 3);
    expect(failed(result), name).toEqual([[2, expected]]);
    expect(result.failures[0]?.message).toMatch(message);
    expect(matched(result)).toEqual([0, 1]);
  });

  it("reads text beyond ASCII, whatever stands behind it; where nobody wants texts they are checked all the same", () => {
    const onTx = [...whenTx(1, appendRecord(2, 4, 0xb2adf0, -1)), ...whenTx(2, appendRecord(2, 3, 0xffbccfce, -1))];
    const euro = [...whenTx(0, appendRecord(2, 6, 0xc3ac82e2, 0xffff_7ab6 | 0)), ...onTx]; // "€öz", then padding
    const wanted = run({ onTx: euro }, 3);
    expect(wanted.matches.map(({ text }) => text)).toEqual(["€öz"]);
    const admitted = readmit(testModule({ onTx: euro }));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
    const counting = createRule(new WebAssembly.Module(admitted.module), undefined, undefined, undefined, false);
    const { matches, failures } = counting.run(testFrames(3), all(3), 3);
    expect([matches.map(({ transaction, text }) => [transaction, text]), failures]).toEqual([
      [[0, ""]],
      wanted.failures,
    ]);
    expect(failures).toHaveLength(2);
  });

  it("goes on behind them", () => {
    const result = run(
      { onTx: [...whenTx(1, appendRecord(9, 8, 0, 0)), ...nonce, ...op.i32(1), 0x47, ...op.when(alert)] },
      4,
    );
    expect(failed(result)).toEqual([[1, "bad_result"]]);
    expect(matched(result)).toEqual([0, 2, 3]);
  });
});

describe("nothing is carried over", () => {
  it("in globals, from one transaction to the next", () => {
    // counts in its global, and alerts if it finds the count changed
    const onTx = [
      ...op.get(COUNTER), ...op.i32(7), 0x47, ...op.when(alert),
      ...op.get(COUNTER), ...op.i32(1), ...op.add, ...op.set(COUNTER),
    ]; // biome-ignore format: two statements
    expect(run({ onTx }).matches).toEqual([]);
  });

  it("and a global that the start function set is put back to that", () => {
    const start = { more: [[...op.i32(42), ...op.set(COUNTER)]], start: FUNCTION.more };
    const onTx = [...op.get(COUNTER), ...op.i32(42), ...op.equal, ...op.when(alert), ...op.i32(1), ...op.set(COUNTER)];
    expect(matched(run({ ...start, onTx }, 3))).toEqual([0, 1, 2]);
  });

  it("in memory, from one batch to the next", () => {
    const cell = 65_536;
    // alerts if somebody was here before; below the input area and in the last page
    const visited = (at: number) => [
      ...op.i32(at), ...op.load(), ...op.when(alert), ...op.i32(at), ...op.i32(1), ...op.store(),
    ]; // biome-ignore format: two statements
    for (const at of [cell, INPUT + 60_000, 20 * 65_536 - 8]) {
      const rule = ruleOf({ onTx: whenTx(0, visited(at)) });
      for (let batch = 0; batch < 3; batch++)
        expect(rule.run(testFrames(2), all(2), 2).matches, String(at)).toEqual([]);
    }
    // within a batch it can be: the control that the test can fail
    expect(matched(run({ onTx: visited(cell) }, 3))).toEqual([1, 2]);
  });

  it("in the input area, where a longer batch left its frames", () => {
    const second = INPUT + 16 + 2 * 416 + NONCE; // where the third of four frames has its nonce
    const rule = ruleOf({ onTx: [...op.i32(second), ...op.load(), ...op.when(alert)] });
    expect(matched(rule.run(testFrames(4), all(4), 4)).length).toBe(4);
    expect(rule.run(testFrames(1), all(1), 1).matches).toEqual([]);
  });

  it("in the size of the memory", () => {
    const size = [0x3f, 0];
    const onTx = whenTx(0, [...size, ...op.i32(21), 0x47, ...op.when(alert), ...op.i32(3), 0x40, 0, ...op.drop]);
    const rule = ruleOf({ onTx });
    for (let batch = 0; batch < 3; batch++) expect(rule.run(testFrames(2), all(2), 2).matches).toEqual([]);
  });

  it("through a large batch, whose input area is another", () => {
    const rule = ruleOf({
      reserve: [...op.local(0), ...op.i32(1), 0x74, ...op.set(COUNTER), ...op.i32(INPUT)],
      onTx: [...op.get(COUNTER), ...op.i32(131_072), 0x47, ...op.when(alert)],
    });
    expect(rule.run(testFrames(2), all(2), 2).matches).toEqual([]);
    expect(matched(rule.run(testFrames(200), all(200), 200)).length).toBe(200); // 256 KiB
    expect(rule.run(testFrames(2), all(2), 2).matches).toEqual([]);
  });
});

describe("memory is put back whole", () => {
  /** Writes as its frame's input says, or reports a hash of all its memory but the frames. */
  const source = `
    export const weir_abi: i32 = 1;
    export let weir_out_length: i32 = 0;
    export function weir_manifest(): usize { return changetype<usize>("{\\"name\\":\\"write\\"}"); }
    export function weir_reserve(bytes: i32): usize { return ${INPUT}; }
    export function weir_out(): usize { return ${OUT}; }
    export function weir_on_tx(frame: usize): void {
      const action = load<u32>(frame, 416), at = <usize>load<u32>(frame, 420), length = load<u32>(frame, 424);
      switch (action) {
        case 0: store<u8>(at, 1); break;
        case 1: store<u16>(at, 0x1234); break;
        case 2: store<u32>(at, 0x12345678); break;
        case 3: store<u64>(at, 0x1234567812345678); break;
        case 4: store<f32>(at, 1.5); break;
        case 5: store<f64>(at - 4096, 2.5, 4096); break;
        case 6: store<u8>(at - 70000, 3, 70000); break;
        case 7: memory.fill(at, 9, length); break;
        case 8: memory.copy(at, 1024, length); break;
        case 10: store<u8>(at, 1); store<u64>(at, -1, 120); store<u8>(at, 1, 127); store<u8>(at, 1, 129); break;
        case 11: store<u8>(at, 1, 2100); store<u8>(at, 1, 8); store<u8>(at, 1, 4); break;
        case 12: for (let i = 0, p = at; i < 4; i++) { store<u8>(p, 1); p += 3000; store<u8>(p, 1, 60); } break;
        case 15: {
          let p = at + length;
          store<u8>(p, 1);
          do { store<u8>(p, 1, 60); p += 3000; } while (p < at + 10_000);
          break;
        }
        case 16: { let p = at + length; store<u8>(p, <u8>(p += 3000), 8); store<u8>(p, 1, 60); break; }
        case 13: if (length) store<u8>(at, 1); store<u8>(at, 1, 60); break;
        case 14: {
          while (true) {
            if (length) break;
            store<u8>(at, 1);
            break;
          }
          store<u8>(at, 1, 60);
          break;
        }
        case 9: {
          let h: u64 = memory.size(), end = <usize>memory.size() << 16;
          for (let p: usize = 0; p < end; p += 8) {
            if (p == ${INPUT}) p += 4096;
            h = h * 31 + load<u64>(p);
          }
          store<u64>(${OUT}, 16 << 32 | 2);
          for (let i = 0; i < 16; i++) store<u8>(${OUT} + 8 + i, <u8>(0x41 + ((h >> (i * 4)) & 15)));
          weir_out_length = 24;
        }
      }
    }`;
  const HASH = 9;
  const NOTHING = 99;
  const frame = (action: number, at = 0, length = 0) => {
    const frames = testFrames(1, () => 432);
    frames.words.set([action, at, length], 416 / 4);
    return frames;
  };

  it("whatever was written, wherever, up to the last byte", async () => {
    const admitted = readmit(await compileGuest(source, ["--initialMemory", "20", "--enable", "bulk-memory"]));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
    const rule = createRule(new WebAssembly.Module(admitted.module), { ...RUN_LIMITS, fuel: 100_000_000 });
    const hash = () => {
      const { matches, failures } = rule.run(frame(HASH), all(1), 1);
      expect(failures).toEqual([]);
      return matches[0]!.text;
    };
    const clean = hash();
    const size = 21 * 65_536;
    const BLOCK = 1 << BLOCK_SHIFT;
    const sizes = [1, 2, 4, 8, 4, 8, 1];
    const wrote = (action: number, at: number, length = 0) => {
      expect(rule.run(frame(action, at, length), all(1), 1).failures, `${action} at ${at}`).toEqual([]);
      expect(hash(), `${action} at ${at}, ${length} bytes`).toBe(clean);
    };
    for (let action = 0; action < sizes.length; action++) {
      // ends of blocks, among them the last that has a bit of its own, and the memory's
      for (const end of [2 * 65_536, 40 * BLOCK, 64 * BLOCK, 65 * BLOCK, 95 * BLOCK, 128 * BLOCK, 20 * 65_536, size]) {
        for (let before = sizes[action]!; before >= (end === size ? sizes[action]! : 1); before -= 3)
          wrote(action, end - before);
      }
    }
    // of several stores from one address on some are under another's mark, and some only seem to be
    for (const action of [10, 11, 12, 13, 14, 15, 16])
      for (const before of [1, 8, 60, 61, 121, 128, 129, 301]) wrote(action, 40 * BLOCK - before);
    wrote(13, 40 * BLOCK - 1, 1);
    wrote(14, 40 * BLOCK - 61, 1);
    // in any block, by a transaction that another one follows
    for (let block = 64; block < 96; block++) {
      const frames = testFrames(2, () => 432);
      frames.words.set([2, block * BLOCK], 416 / 4);
      frames.words.set([NOTHING], (432 + 416) / 4);
      expect(rule.run(frames, all(2), 2).failures).toEqual([]);
      expect(hash(), `block ${block}`).toBe(clean);
    }
    for (const action of [7, 8]) {
      for (const length of [127, 128, 129, 130]) wrote(action, 40 * BLOCK - 1, length);
      for (const [at, length] of [
        [300_000, 1],
        [5 * 65_536 - 1, 2],
        [4 * 65_536, 65_536],
        [300_000, 200_000],
        [95 * BLOCK - 1, 31 * BLOCK + 2],
        [63 * BLOCK - 1, BLOCK + 2],
        [70 * BLOCK, 30 * BLOCK],
        [70 * BLOCK, 62 * BLOCK],
        [70 * BLOCK - 1, 63 * BLOCK + 1],
        [70 * BLOCK - 1, 64 * BLOCK],
        [300_000, 700_000],
        [size - 9, 9],
        [size, 0],
        [0, 0],
      ] as const) {
        wrote(action, at, length);
      }
    }
  });

  it("what is stored where a local pointed before it was set again, and where it points since", () => {
    const [before, since, X] = [20_000, 40_000, 1];
    const stores = [
      ...[...op.i32(before), ...op.setLocal(X), ...op.local(X)], // an operand that outlives the local's value
      ...[...op.i32(since), ...op.setLocal(X), ...op.i32(7), ...op.store(8)],
      ...[...op.local(X), ...op.i32(7), ...op.store(60)],
    ];
    const rule = ruleOf({
      locals: [[1, I32]],
      onTx: [...[before + 8, since + 60].flatMap((at) => [...op.i32(at), ...op.load(), ...op.when(alert)]), ...stores],
    });
    for (let batch = 0; batch < 2; batch++) expect(rule.run(testFrames(1), all(1), 1).matches).toEqual([]);
  });

  it("at the very end of the largest memory, by a fill that reaches it", () => {
    const at = 64 * 65_536 - 8;
    const fill = [...op.i32(at), ...op.i32(1), ...op.i32(8), 0xfc, 11, 0];
    const rule = ruleOf({
      onTx: [...op.i32(at), ...op.load(), ...op.when(alert), ...fill],
      sections: { 5: [1, 0, 64] },
    });
    for (let batch = 0; batch < 3; batch++) expect(rule.run(testFrames(1), all(1), 1).matches).toEqual([]);
  });

  it("and the hash would notice", async () => {
    const admitted = readmit(await compileGuest(source, ["--initialMemory", "20", "--enable", "bulk-memory"]));
    if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
    const rule = createRule(new WebAssembly.Module(admitted.module), { ...RUN_LIMITS, fuel: 100_000_000 });
    const both = testFrames(2, () => 432);
    both.words.set([0, 20 * 65_536 + 5], 416 / 4);
    both.words.set([HASH], 432 / 4 + 416 / 4);
    const alone = rule.run(both, Uint32Array.of(1), 1).matches[0]!.text;
    expect(rule.run(both, all(2), 2).matches[0]!.text).not.toEqual(alone);
  });
});

describe("what a guest can forge", () => {
  it("its input table, and so only what it is shown itself", () => {
    // overwrites the pointer of the next transaction with one outside the memory
    const forge = whenTx(1, [...op.i32(INPUT + 8), ...op.i32(-64), ...op.store()]);
    const result = run({ onTx: [...forge, ...nonce, ...op.drop, ...alert] }, 5);
    expect(matched(result)).toEqual([0, 1, 2, 3, 4]); // tried again as the first of a call, 2 is shown its own frame
    expect(result.failures).toEqual([]);
  });

  it("not its progress: the trap is counted against the transaction that trapped", () => {
    const forge = [...op.i32(INPUT), ...op.i32(0), ...op.i32(64), 0xfc, 11, 0]; // clears the table
    const result = run({ onTx: [...alert, ...whenTx(3, forge, op.unreachable)] });
    expect(failed(result).at(-1)).toEqual([3, "unreachable"]);
    expect(matched(result)).toContain(4);
  });

  it("not its fuel: a global beyond its own is refused", () => {
    for (let global = 3; global < 12; global++) {
      const admitted = readmit(testModule({ onTx: [...op.i32(1_000_000_000), ...op.set(global)] }));
      expect(admitted.ok ? [] : admitted.findings.map(({ code }) => code)).toEqual(["index"]);
    }
  });

  it("not the loop: a function beyond its own is refused", () => {
    for (let index = 5; index < 10; index++) {
      const admitted = readmit(testModule({ onTx: [...op.i32(0), ...op.i32(0), ...op.call(index)] }));
      expect(admitted.ok ? [] : admitted.findings.map(({ code }) => code)).toEqual(["index"]);
    }
  });
});

describe("the stack runs out by our count, before V8's", () => {
  it("in calls that are as deep as they look: a chain of functions, each calling the next one", () => {
    const chain = (length: number) => ({
      onTx: [...op.call(FUNCTION.more), ...alert],
      more: Array.from({ length }, (_, i) => (i < length - 1 ? op.call(FUNCTION.more + i + 1) : [])),
    });
    expect(matched(run(chain(100), 2))).toEqual([0, 1]); // not counted
    expect(matched(run(chain(2_000), 2))).toEqual([0, 1]);
    expect(failed(run(chain(4_500), 2))).toEqual([0, 1].map((n) => [n, "stack"]));
  });
  it.each([
    ["no locals", 0],
    ["30 locals", 30],
    ["2,000 locals", 2_000],
  ])("%s", (_, locals) => {
    // each local is live across the call: read before, read after
    const body = (count: number) => {
      const touch = Array.from({ length: Math.min(count, 500) }, (_, i) => [
        ...op.local(i),
        ...op.i32(1),
        ...op.add,
        ...op.setLocal(i),
      ]);
      const code = [...touch.flat(), ...op.call(FUNCTION.more), ...touch.flat()];
      const groups = count === 0 ? [0] : [1, ...leb(count), I32];
      return [...groups, ...code, END];
    };
    const sized = (bytes: number[]) => [...leb(bytes.length), ...bytes];
    const plain = (code: number[]) => sized([0, ...code, END]);
    const code = vector([
      plain(op.i32(1024)),
      plain(op.i32(INPUT)),
      plain(op.call(FUNCTION.more)),
      plain(op.i32(OUT)),
      sized(body(locals)),
    ]);
    const rule = ruleOf({ more: [[]], sections: { 10: code } });
    // often enough for the optimising tier to take over
    for (let batch = 0; batch < 30; batch++) {
      expect(failed(rule.run(testFrames(20), all(20), 20))).toEqual(Array.from({ length: 20 }, (_, n) => [n, "stack"]));
    }
  });
});
