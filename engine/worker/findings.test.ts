/** What was found in the bundled recording, against what it was made with. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { BUNDLED_RECORDING } from "../cli/bundled.ts";
import { CONTENT } from "../frame/content.ts";
import { packBatch } from "../source/batch.ts";
import { readLines } from "../source/recording.ts";
import type { SourceRecord } from "../source/records.ts";
import { createWorld } from "../world/world.ts";
import type { Outcome, OutputTopic } from "./outcome.ts";
import { createProcessor } from "./process.ts";
import { unpackRecords } from "./topicRecords.ts";

interface Truth {
  readonly swaps: Readonly<Record<string, number>>;
  readonly routers: Readonly<Record<string, string>>;
  readonly arbitrageList: readonly { hash: string; account: string; profitToken: string; profit: string }[];
  readonly sandwichList: readonly { front: string; victims: string[]; back: string; pool: string; profit: string }[];
}
const truth = JSON.parse(readFileSync(new URL("../../test/recordings/truth.json", import.meta.url), "utf8")) as Truth;

const process = createProcessor([], createWorld({ chains: [31_337] }));
const run = (records: readonly SourceRecord[]): Outcome => process(packBatch("s", 0, 0, records.length, records));

let records: SourceRecord[];
let outcome: Outcome;
beforeAll(async () => {
  records = [];
  for await (const value of readLines(BUNDLED_RECORDING))
    records.push({ offset: records.length, time: 0, content: CONTENT.json, value });
  outcome = run(records);
});

const published = (topic: OutputTopic): Record<string, unknown>[] =>
  [...unpackRecords(outcome.records)]
    .filter((record) => record.topic === topic)
    .map(({ key, value }) => {
      const finding = JSON.parse(value.toString()) as Record<string, unknown>;
      expect(key).toBe(`31337:${finding.tx_hash}`);
      return finding;
    });
const rowsOf = ({ tables }: Outcome): Record<string, number> =>
  Object.fromEntries(
    Object.entries(tables).map(([table, blocks]) => [table, blocks.reduce((sum, { rows }) => sum + rows, 0)]),
  );

describe("the bundled recording", () => {
  test("counts and rows: every swap, arbitrage and sandwich, and nothing else", () => {
    const swaps = Object.values(truth.swaps).reduce((sum, count) => sum + count);
    const [arbitrages, sandwiches] = [truth.arbitrageList.length, truth.sandwichList.length];
    const counted = Object.fromEntries(outcome.findings.map(({ kind, findings }) => [kind, findings]));
    expect(counted).toEqual({ swap: swaps, arbitrage: arbitrages, sandwich: sandwiches });
    const some = expect.any(Number); // pools of what paid; what moved
    expect(rowsOf(outcome)).toEqual({
      ...{ transactions: records.length, transfers: some, swaps, arbitrages, sandwiches, opportunity_captures: some },
      gas_blocks: 314,
    });
    expect(outcome.findings.find(({ kind }) => kind === "arbitrage")!.transactions).toBe(arbitrages);
  });

  test("its arbitrages go out on their topic, with their profits", () => {
    const found = published("arbitrage-transactions").map(({ tx_hash, profit_token, profit_amount }) => [
      tx_hash,
      profit_token,
      profit_amount,
    ]);
    expect(found).toEqual(truth.arbitrageList.map(({ hash, profitToken, profit }) => [hash, profitToken, profit]));
  });

  test("its arbitrages and sandwiches go out as bundles", () => {
    const bundles = published("mev_bundles");
    expect(bundles.filter(({ kind }) => kind === "arbitrage")).toHaveLength(truth.arbitrageList.length);
    const found = bundles
      .filter(({ kind }) => kind === "sandwich")
      .map((finding) => [
        finding.frontrun_tx,
        finding.victim_txs,
        finding.backrun_tx,
        finding.pool,
        finding.profit_amount,
      ]);
    expect(found).toEqual(
      truth.sandwichList.map(({ front, victims, back, pool, profit }) => [front, victims, back, pool, profit]),
    );
    expect(bundles).toHaveLength(truth.arbitrageList.length + truth.sandwichList.length);
  });
});

test("routers are those of the world's registry", () => {
  const routers = Object.fromEntries(Object.entries(truth.routers).map(([name, address]) => [address, name]));
  const world = createWorld({ chains: [31_337], registry: { chains: [{ id: 31_337, routers }] } });
  const { findings } = createProcessor([], world)(packBatch("s", 0, 0, records.length, records));
  const kinds = Object.fromEntries(findings.map(({ kind, findings: count }) => [kind, count]));
  expect(kinds).toMatchObject({ arbitrage: truth.arbitrageList.length, sandwich: truth.sandwichList.length });
  expect(kinds.router_arbitrage).toBeGreaterThan(500); // users' trades over two pools and more
});

describe("a part of a block", () => {
  test("has its swaps and arbitrages, provisional, and no sandwich", () => {
    const { front, victims, back } = truth.sandwichList[0]!;
    const wanted = [front, ...victims, back, truth.arbitrageList[0]!.hash];
    const some = records.filter(({ value }) => {
      const { hash, block } = JSON.parse(value!.toString()) as { hash: string; block?: object };
      return block !== undefined && wanted.includes(hash);
    });
    const part = run(some);
    expect(Object.fromEntries(part.findings.map(({ kind, findings }) => [kind, findings]))).toEqual({
      swap: expect.any(Number),
      arbitrage: 1,
    });
    const [bundle] = [...unpackRecords(part.records)].map(({ value }) => JSON.parse(value.toString()));
    expect(bundle).toMatchObject({ kind: "arbitrage", status: "provisional" });
  });

  test("pending transactions and dead letters have none", () => {
    const pending = records.filter(({ value }) => !Buffer.from(value!).includes('"block":')).slice(0, 50);
    expect(run(pending)).toMatchObject({ findings: [], transactions: 50 });
    const broken = { ...records[0]!, value: Buffer.from("{") };
    expect(run([broken])).toMatchObject({ findings: [], deadLetters: 1 });
  });
});
