import { expect, test } from "vitest";
import { CONTENT } from "../frame/content.ts";
import { OFFSET } from "../frame/schema.ts";
import { loadJson } from "../rules/content.ts";
import { admit } from "../sandbox/admit.ts";
import { has, listModule } from "../sandbox/testListModule.ts";
import { appendRecord, op } from "../sandbox/testModule.ts";
import { packBatch } from "../source/batch.ts";
import { makeLists } from "../world/givenLists.ts";
import { createWorld } from "../world/world.ts";
import { createDecoder } from "./decode.ts";
import { explainRule } from "./explainRule.ts";

const [FROM, TO] = [`0x${"aa".repeat(20)}`, `0x${"bb".repeat(20)}`];
const transaction = { chainId: 1, hash: `0x${"11".repeat(32)}`, from: FROM, to: TO, nonce: "0x0", value: "0x0", gas: "0x1", input: "0x" }; // biome-ignore format: one value
const value = Buffer.from(JSON.stringify(transaction));
const decoded = createDecoder(createWorld({ chains: [1] }))(
  packBatch("s", 0, 0, 1, [{ offset: 0, time: 0, content: CONTENT.json, value }]),
);
const uses = [{ name: "bad", bytes: 20 }];
const lists = makeLists("r", uses, { bad: TO });

test("a condition says which of the values are on the list, and which list decided", () => {
  const conditions = { and: [{ to_in_list: "bad" }, { from_in_list: "bad" }] };
  const rule = loadJson(Buffer.from(JSON.stringify({ name: "r", conditions }))).with({});
  const explained = explainRule({ ...rule, name: "r", version: 1 }, decoded, { lists });
  expect(explained).toMatchObject({ sees: false, why_not: `from in_list bad: it is ${FROM}`, lists: [], alerts: [] });
  expect(explained.condition.and).toEqual([
    { holds: true, field: "to", operator: "in_list", value: "bad", actual: TO, in_list: [TO] },
    { holds: false, field: "from", operator: "in_list", value: "bad", actual: FROM, in_list: [] },
  ]);
});

test("a module says what it asked, and the answers", () => {
  const at = (offset: number) => [...op.local(0), ...op.i32(offset), ...op.add];
  const onTx = [...has(0, at(OFFSET.from)), ...op.drop, ...has(0, at(OFFSET.to)), ...op.when(appendRecord(1, 8, 0x64636261, 0x68676665))]; // biome-ignore format: one sequence
  const admitted = admit(listModule({ manifest: JSON.stringify({ name: "r", lists: uses }), onTx }));
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  const { manifest, module } = admitted;
  const rule = { name: "r", version: 1, manifest, module: new WebAssembly.Module(module as Uint8Array<ArrayBuffer>) };
  expect(explainRule(rule, decoded, { lists })).toMatchObject({
    sees: true,
    alerts: [{ severity: "info", message: "abcdefgh" }],
    lists: [
      { list: "bad", entry: FROM, has: false },
      { list: "bad", entry: TO, has: true },
    ],
  });
});
