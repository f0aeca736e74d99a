import { expect, test } from "vitest";
import { blocksOf } from "../chain/blocks.ts";
import type { SandwichFinding } from "../chain/finding.ts";
import { RISK } from "../chain/risk/factors.ts";
import { transactionOf } from "../chain/testing/fixtures.ts";
import { CONTENT } from "../frame/content.ts";
import { packBatch } from "../source/batch.ts";
import { buildList } from "../world/listTable.ts";
import { createWorld, KNOWN_BAD } from "../world/world.ts";
import { createDecoder } from "./decode.ts";
import { createRiskStage } from "./risks.ts";

const bad = `0x${"0b".repeat(20)}`;
const hashOf = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const mined = (n: number, given = {}) =>
  transactionOf([], { hash: hashOf(n), transactionIndex: `0x${n.toString(16)}`, ...given });
const pending = (n: number, given = {}) =>
  transactionOf([], { hash: hashOf(n), blockNumber: null, blockHash: null, transactionIndex: null, receipt: null, ...given }); // biome-ignore format: one call

const decoded = createDecoder(createWorld({ chains: [1] }))(
  packBatch("s", 0, 0, 7, [
    pending(10, { to: null }),
    mined(1, { from: bad }),
    mined(0),
    mined(1, { from: bad }), // once more
    pending(11),
    pending(12, { to: bad }),
    mined(2),
  ].map((record, offset) => ({ offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(record)) }))), // biome-ignore format: a row a transaction
);
const blocks = blocksOf(decoded);

function listOf(bytes: number, entry: string) {
  const builder = buildList(bytes, 1);
  builder.add(Buffer.from(entry.slice(2), "hex"));
  return new Map([[KNOWN_BAD, builder.done()]]);
}

test("each transaction has its own, by its number in the batch: mined, pending, and come twice", () => {
  const sandwich = { kind: "sandwich", victims: [2] } as unknown as SandwichFinding;
  const risks = createRiskStage(listOf(20, bad))(decoded, blocks, [{ block: blocks[0]!, findings: [sandwich] }]);
  expect([...risks]).toEqual([
    ...[RISK.fresh_contract, RISK.known_bad, 0, RISK.known_bad, 0, RISK.known_bad],
    RISK.sandwich_exposure, // third of its block, last of the batch
  ]);
});

test("a list of that name that has no addresses says nothing, as does none", () => {
  const risks = createRiskStage(listOf(4, "0x0b0b0b0b"))(decoded, blocks, []);
  expect([...risks]).toEqual([RISK.fresh_contract, 0, 0, 0, 0, 0, 0]);
  expect([...createRiskStage(new Map())(decoded, blocks, [])]).toEqual([...risks]);
});
