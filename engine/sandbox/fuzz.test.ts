/**
 * Valid modules with random damage. Admission must answer, and what it admits must run within its fuel, and in two instances alike.
 * WEIR_FUZZ=20000 for a long run, WEIR_FUZZ_SEED for another sequence; the seed is in the failure's message.
 */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { admit, readmit } from "./admit.ts";
import { RUN_LIMITS } from "./limits.ts";
import { createRule } from "./rule.ts";
import { sampleFrames } from "./sampleFrames.ts";
import { compileGuest } from "./testGuest.ts";
import { all, appendRecord, END, FUNCTION, op, random, testModule } from "./testModule.ts";

const ROUNDS = Number(process.env.WEIR_FUZZ ?? 500);
const SEED = Number(process.env.WEIR_FUZZ_SEED ?? 1);
const limits = { ...RUN_LIMITS, fuel: 100_000, initFuel: 1_000_000, batchFuel: 500_000 };

const GUEST = `
  export const weir_abi: i32 = 1;
  export let weir_out_length: i32 = 0;
  let calls: i32 = 0;
  export function weir_manifest(): usize { return changetype<usize>("{\\"name\\":\\"fuzz\\"}"); }
  export function weir_reserve(bytes: i32): usize { return (heap.alloc(bytes + 16) + 15) & ~15; }
  export function weir_out(): usize { return 4096; }
  function depth(n: i32): i32 { return n < 1 ? 1 : 1 + depth(n - 1); }
  export function weir_on_tx(frame: usize): void {
    let sum: f64 = 0;
    for (let i: usize = 0; i < 416; i += 8) sum += <f64>load<u64>(frame + i) / 3;
    calls += depth(load<i32>(frame, 64) % 9);
    switch (calls % 5) { case 0: store<f64>(8192, sum); break; case 1: memory.fill(8192, 1, 64); break; case 3: memory.grow(1); }
    if (sum < 0) throw new Error("negative");
  }`;

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat(parts));

/** One or two of: a byte changed, a bit flipped, a run removed or doubled. What keeps the length is likelier: it may well be valid. */
function damage(module: Uint8Array, next: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(module);
  for (let n = 1 + next(2); n > 0; n--) {
    // mostly behind the header: damage there is found at once
    const at = next(20) === 0 ? next(8) : 8 + next(bytes.length - 8);
    const length = 1 + next(8);
    const kind = next(9);
    if (kind <= 1) bytes[at] = next(256);
    else if (kind <= 4) bytes[at]! ^= 1 << next(8);
    else if (kind <= 6) bytes[at] = [0x00, 0x7f, 0x80, 0xff, 0x0b, 0x10, 0x23, 0x24, 0x40, 0xfc][next(10)]!;
    else if (kind === 7) bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
    else bytes = joined(bytes.subarray(0, at + length), bytes.subarray(at));
    if (bytes.length < 9) return bytes;
  }
  return bytes;
}

it(`admits or refuses ${ROUNDS} damaged modules, and runs what it admitted`, async () => {
  const code = [
    ...op.loop(op.local(0), op.i32(8), op.add, [0x22, 0], op.i32(200_000), [0x48], [0x0d, 0]),
    ...appendRecord(2, 2, 0x6161, 0),
    ...op.i32(0), 0x11, 4, 0,
  ]; // biome-ignore format: one statement a line
  const elements = [1, 0, ...op.i32(0), END, 1, FUNCTION.more];
  const seeds = [
    testModule({
      onTx: code,
      more: [op.block([...op.i32(1), 0x0d, 0], op.unreachable)],
      start: FUNCTION.more,
      sections: { 9: elements },
    }),
    await compileGuest(GUEST),
    readFileSync(new URL("../../rules-as/test/v1/unlimited-approval.wasm", import.meta.url)),
  ];
  for (const seed of seeds) expect(admit(seed)).toMatchObject({ ok: true });
  const frames = sampleFrames();
  const count = frames.names.length;
  const outcomes = { refused: 0, admitted: 0, failures: 0, matches: 0 };
  const codes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const next = random(SEED * 1_000_003 + round);
    const bytes = damage(seeds[round % seeds.length]!, next);
    try {
      const admitted = readmit(bytes, undefined, limits);
      if (!admitted.ok) {
        outcomes.refused++;
        expect(admitted.findings.length).toBeGreaterThan(0);
        for (const { code } of admitted.findings) codes.add(code);
        continue;
      }
      outcomes.admitted++;
      const tried = admit(bytes, undefined, limits);
      if (!tried.ok) for (const { code } of tried.findings) codes.add(code);
      const module = new WebAssembly.Module(admitted.module);
      const [rule, other] = [createRule(module, limits), createRule(module, limits)];
      const first = rule.run(frames, all(count), count);
      expect(rule.run(frames, all(count), count)).toEqual(first); // nothing is left of the first run
      expect(other.run(frames, all(count), count)).toEqual(first);
      expect(first.fuel).toBeLessThanOrEqual(limits.batchFuel + limits.fuel);
      outcomes.failures += first.failures.length;
      outcomes.matches += first.matches.length;
    } catch (error) {
      throw new Error(`seed ${SEED}, round ${round}: ${String(error)}`, { cause: error });
    }
  }
  // the damage is neither too coarse nor too fine to mean something
  expect(outcomes.admitted).toBeGreaterThan(ROUNDS / 100);
  expect(outcomes.refused).toBeGreaterThan(ROUNDS / 10);
  expect(outcomes.failures).toBeGreaterThan(0);
  expect(outcomes.matches).toBeGreaterThan(0);
  expect([...codes]).toEqual(expect.arrayContaining(["malformed", "invalid", "unsupported", "index"]));
  if (process.env.WEIR_FUZZ !== undefined) console.log(JSON.stringify({ ...outcomes, codes: [...codes] }));
});
