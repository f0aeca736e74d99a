/** What a module reads of facts, on the samples that admission tries it on. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { admit } from "../../engine/sandbox/admit.ts";
import { parseManifest } from "../../engine/sandbox/parseManifest.ts";
import { createRule } from "../../engine/sandbox/rule.ts";
import { sampleFrames } from "../../engine/sandbox/sampleFrames.ts";
import { buildRule } from "../cli/build.ts";

const { wasm, diagnostics } = await buildRule(fileURLToPath(new URL("guests/facts.ts", import.meta.url)));

test("a module that reads facts says so, and reads what was found, and nothing where nothing was", () => {
  expect(diagnostics).toEqual([]);
  const admission = admit(wasm!);
  if (!admission.ok) throw new Error(JSON.stringify(admission.findings));
  expect(admission.manifest.facts).toBe(1);
  const rule = createRule(new WebAssembly.Module(admission.module as Uint8Array<ArrayBuffer>));
  const texts = (withFacts: boolean): string[] => {
    const { matches, failures } = rule.run(sampleFrames(withFacts), Uint32Array.of(0, 1, 2), 3);
    expect(failures).toEqual([]);
    return matches.map(({ text }) => text);
  };
  const nothing = "0 0 0 false false false";
  expect(texts(false)).toEqual([nothing, nothing, nothing]);
  const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
  const swap = (i: number): string => `swap ${i} 3 uniswap_v2 true false ${address(0x70c0)} ${2n ** 256n - 1n} false`;
  expect(texts(true)).toEqual([
    nothing,
    [
      "2 2 45 true true true",
      ...[swap(0), swap(1)],
      ...["arbitrage 2 true 4 false", `liquidation ${address(4)} 3`],
      `jit 2 true 0x${(0x5a17_0000_0000n + 9n).toString(16).padStart(64, "0")}`,
    ].join("|"),
    nothing,
  ]);
});

test("a module that reads facts of another version is refused", () => {
  const parsed = parseManifest('{"name":"later","facts":2}');
  expect(parsed.ok ? [] : parsed.problems).toEqual([
    {
      path: "facts",
      message: "Expected 1, the version of facts that this engine writes: build the rule with this checkout's SDK",
    },
  ]);
});
