import { expect, test } from "vitest";
import { admit } from "../../engine/sandbox/admit.ts";
import { createRule } from "../../engine/sandbox/rule.ts";
import { shareCode } from "../../engine/sandbox/sharedCode.ts";
import { decodeBatches } from "./frames.ts";
import { compileWithLoop } from "./loopModule.ts";
import { type JsonRule, mixRules, mixTransactions } from "./ruleMix.ts";
import { createModuleMaker, TAILS, writtenOut } from "./ruleModules.ts";
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

test("a module has the code that the compiler makes of the rule as it is written out, numbers as long as they are", async () => {
  // of each shape one for each length of its numbers
  const lengths = (rule: JsonRule) =>
    writtenOut(rule, "").replaceAll(/"(0x)?[0-9a-f]+"/g, (text) => "x".repeat(text.length));
  const some = new Map(mixRules("dense", 500).map((rule) => [lengths(rule).replace(/r\d+/g, ""), rule]));
  expect(some.size).toBeGreaterThan(10);
  const make = await createModuleMaker();
  const codes = new Set<string>();
  for (const [i, rule] of [...some.values()].entries()) {
    const tail = TAILS[i % TAILS.length]!;
    const source = writtenOut(rule, tail);
    expect(source).not.toMatch(/86420|70707|deadbeef|abab|314159|271828/);
    const admission = admit(await compileWithLoop(rule.id + tail, source));
    if (!admission.ok) throw new Error(admission.findings[0]!.message);
    const { admitted, manifest } = make(rule);
    expect(admission.manifest).toEqual(manifest);
    const { code } = shareCode(admission.module);
    expect(code).toBe(shareCode(admitted).code);
    codes.add(code!);
  }
  expect(codes.size).toBeGreaterThan(4);
});
