/**
 * What the example rules cost on the samples, pinned: the same module and input use the same fuel on every machine and run, so a
 * change of the cost table, the meter, the SDK or the compiler shows here. A change that was meant: `npx vitest run exampleFuel -u`.
 */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { cachedBuild } from "../../rules-as/cli/cachedBuild.ts";
import { admit } from "./admit.ts";
import { createRule } from "./rule.ts";
import { sampleFrames } from "./sampleFrames.ts";
import { all } from "./testModule.ts";

const EXAMPLES = ["failed-router-call", "ownership-change", "unlimited-approval", "watched-address", "whale-transfer"];
const folder = fileURLToPath(new URL("../../rules-as/examples/", import.meta.url));

async function fuelOf(name: string): Promise<number> {
  const { wasm, diagnostics } = await cachedBuild(`${folder}${name}.ts`, `${folder}build`);
  if (!wasm) throw new Error(JSON.stringify(diagnostics));
  const admitted = admit(wasm);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  const rule = createRule(new WebAssembly.Module(admitted.module));
  const frames = sampleFrames();
  const count = frames.names.length;
  const runs = [rule.run(frames, all(count), count), rule.run(frames, all(count), count)];
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[0]!.failures).toEqual([]);
  return runs[0]!.fuel;
}

it("is the same on every run and machine", async () => {
  const fuel: Record<string, number> = {};
  for (const name of EXAMPLES) fuel[name] = await fuelOf(name);
  expect(fuel).toMatchInlineSnapshot(`
    {
      "failed-router-call": 7672,
      "ownership-change": 4651,
      "unlimited-approval": 3812,
      "watched-address": 556,
      "whale-transfer": 35858,
    }
  `);
});
