import { expect, test } from "vitest";
import { admit } from "../../engine/sandbox/admit.ts";
import { createRule } from "../../engine/sandbox/rule.ts";
import { decodeBatches } from "./frames.ts";
import { mixRules, mixTransactions } from "./ruleMix.ts";
import { createModuleMaker } from "./ruleModules.ts";
import { bruteForce, parseTransaction } from "./ruleTruth.ts";

const makeModule = await createModuleMaker();

test("a module is what admission makes of the upload, says its filter, and matches as its rule does", () => {
  const lines = mixTransactions(2_000);
  const { words, frames } = decodeBatches(lines, lines.length)[0]!;
  const transactions = lines.map(parseTransaction);
  const all = Uint32Array.from(lines, (_, i) => i);
  let matches = 0;
  for (const rule of mixRules("dense", 60)) {
    const { uploaded, admitted, manifest } = makeModule(rule);
    const admission = admit(uploaded);
    if (!admission.ok) throw new Error(admission.findings[0]!.message);
    expect(admission.manifest).toEqual(manifest);
    expect(Buffer.compare(admission.module, admitted)).toBe(0);
    const run = createRule(new WebAssembly.Module(admitted)).run({ words, offsets: frames }, all, all.length);
    expect(run.failures).toEqual([]);
    expect(run.matches.length).toBe(bruteForce([rule], transactions).matches);
    matches += run.matches.length;
  }
  expect(matches).toBeGreaterThan(50);
});
