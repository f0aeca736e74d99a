import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { admit, readmit } from "./admit.ts";
import { SMALLEST_INPUT } from "./rule.ts";
import { sampleFrames } from "./sampleFrames.ts";
import { appendRecord, op, testModule } from "./testModule.ts";

const visited = [...op.i32(65_536), ...op.load(), ...op.when(appendRecord(2, 1, 0x61, 0)), ...op.i32(65_536), ...op.i32(1), ...op.store()]; // biome-ignore format: one sequence

describe("the smoke run", () => {
  it("tries a rule that is new, not one that was admitted before", () => {
    expect(admit(testModule({ onTx: visited }))).toMatchObject({
      ok: false,
      findings: [{ code: "carries_state", actual: 'tag "a"' }],
    });
    expect(readmit(testModule({ onTx: visited })).ok).toBe(true);
  });

  it("lets a rule fail: on samples that its filter would keep from it, too", () => {
    expect(admit(testModule({ onTx: op.unreachable })).ok).toBe(true);
    expect(admit(testModule({ onTx: op.loop(op.br(0)) })).ok).toBe(true);
  });

  it("lets modules of the SDK pass", () => {
    for (const name of ["unlimited-approval", "accessors"]) {
      const wasm = readFileSync(new URL(`../../rules-as/test/v1/${name}.wasm`, import.meta.url));
      expect(admit(wasm).ok ? [] : admit(wasm), name).toEqual([]);
    }
  });

  it("has one sample that needs a larger input area than the others together, last", () => {
    const { names, words, offsets } = sampleFrames();
    const sizes = names.map((_, i) => words[(offsets[i]! >> 2) + 1]!);
    const last = sizes.pop()!;
    expect(last).toBeGreaterThan(SMALLEST_INPUT);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(SMALLEST_INPUT / 2);
  });
});
