import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildRule } from "../cli/build.ts";
import { sampleTransaction, tryModule } from "../cli/tryRule.ts";

const source = (where: string) => `
import { Tx, Severity, alert, filter } from "@weir/rules";
filter.chain(1).where('{"nonce_lt": 3}')${where};
export function onTx(tx: Tx): void { alert(Severity.Low, "seen"); }
`;

async function moduleOf(where: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "weir-where-"));
  try {
    await writeFile(join(folder, "rule.ts"), source(where));
    const { wasm, diagnostics } = await buildRule(join(folder, "rule.ts"));
    if (!wasm) throw new Error(JSON.stringify(diagnostics));
    return wasm;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("filter.where() takes conditions as JSON rules have them; several must all hold", async () => {
  const wasm = await moduleOf('.where(\'{"or": [{"gas_price_gt": 90}, {"to": null}]}\')');
  const rule = tryModule(wasm);
  const transactions = [
    { nonce: "0x2", gasPrice: "0x5b" },
    { nonce: "0x3", gasPrice: "0x5b" },
    { nonce: "0x2", gasPrice: "0x5a" },
    { nonce: "0x2", gasPrice: "0x5a", to: null },
    { nonce: "0x2", gasPrice: "0x5b", chainId: 2 },
  ].map((about) => sampleTransaction(about));
  expect(rule.run(transactions).verdicts.map(({ candidate }) => candidate)).toEqual([true, false, false, true, false]);
  expect(rule.manifest.filter.where).toMatchObject({ and: [{ field: "nonce" }, { or: [{}, {}] }] });
});

test("a condition that cannot be read is a finding with its place", async () => {
  const wasm = await moduleOf(".where('{\"gas_prise_gt\": 90}')");
  expect(() => tryModule(wasm)).toThrow(
    /filter\.where\.and\.1\.gas_prise_gt: Unknown field .* Did you mean "gas_?price"/i,
  );
});
