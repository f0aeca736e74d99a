/** Statistics of real blocks against a computation in plain TypeScript. */
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { createDetector } from "../../engine/chain/detect.ts";
import type {
  ArbitrageFinding,
  Finding,
  JitFinding,
  LiquidationFinding,
  Profit,
  SandwichFinding,
} from "../../engine/chain/finding.ts";
import { createRegistry } from "../../engine/chain/registry/registry.ts";
import { blocksOfLines } from "../../engine/chain/testing/views.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { bigAt, has, hexAt, u64AsNumber } from "../../engine/frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../engine/frame/schema.ts";
import { mainnetLines } from "../../engine/frame/testing/mainnet.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { closeHours } from "../../engine/statistics/closeHours.ts";
import type { TableName } from "../../engine/worker/outcome.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { mevSchema, mevSummarySchema } from "./mev.ts";
import {
  type Arbitrage,
  expectExact,
  groupBy,
  isoOf,
  near,
  type Placed,
  type Scene,
  sum,
} from "./testing/statisticsReference.ts";

const lines = mainnetLines();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

/** Of opportunities what was stored is taken: which there are is tested elsewhere, here it is how they are counted. */
async function storedOpportunities(): Promise<Pick<Scene, "opportunities" | "captures">> {
  const rows = (sql: string) =>
    server.store.rows<never>(`${sql} WHERE source = 'mainnet'`, {}, { output_format_json_quote_64bit_integers: 0 });
  const opportunities = await rows(
    "SELECT chain_id AS chain, toUnixTimestamp(event_time) AS time, lower(hex(block_hash)) AS hash, state_block AS state, lower(hex(pool)) AS pool, toFloat64(profit_usd) * 1e6 AS usd FROM opportunities",
  );
  const captures = await rows(
    "SELECT chain_id AS chain, block_number AS block, lower(hex(block_hash)) AS hash, toUnixTimestamp(block_timestamp) AS time, lower(hex(tx_hash)) AS tx, lower(hex(tx_from)) AS from, lower(hex(pool)) AS pool FROM opportunity_captures",
  );
  return { opportunities, captures };
}

type Extracted = ArbitrageFinding | SandwichFinding | LiquidationFinding | JitFinding;
interface Mev extends Placed {
  readonly finding: Extracted;
  readonly searcher: string;
  readonly victims: readonly string[];
}

function mevOf(findings: readonly Finding[], placeOf: (transaction: number) => Placed): Mev[] {
  return findings.flatMap((finding): Mev[] => {
    const hashes = (transactions: readonly number[]) => transactions.map((each) => `0x${placeOf(each).tx}`);
    switch (finding.kind) {
      case "arbitrage":
        if (finding.definition !== "cycle") return [];
        return [{ ...placeOf(finding.transaction), finding, searcher: finding.account, victims: [] }];
      case "sandwich":
        return [{ ...placeOf(finding.transaction), finding, searcher: finding.sandwicher, victims: hashes(finding.victims) }]; // biome-ignore format: one line
      case "liquidation":
        return [{ ...placeOf(finding.transaction), finding, searcher: finding.liquidator, victims: [] }];
      case "jit":
        return [{ ...placeOf(finding.transaction), finding, searcher: finding.provider, victims: hashes(finding.swapTransactions) }]; // biome-ignore format: one line
      default:
        return [];
    }
  });
}

/** The list and the sums of what was extracted, over all and over a part of the blocks, against the findings themselves. */
async function expectMev(mev: readonly Mev[], arbitrages: readonly Arbitrage[]): Promise<void> {
  const profitOf = ({ finding }: Mev) => ("profit" in finding ? finding.profit : undefined);
  const wei = (profit: Profit | undefined) => profit?.net ?? null;
  const list = async (asked: string) => server.read(`/api/v1/mev-opportunities?limit=1000&chain_id=1&${asked}`, z.array(mevSchema)); // biome-ignore format: one line
  const named = (rows: readonly { tx: string; index: number }[]) =>
    rows.map(({ tx, index }) => `${tx} ${index}`).sort();
  for (const pattern of ["arbitrage", "sandwich", "liquidation", "jit"] as const) {
    const wanted = mev.filter(({ finding }) => finding.kind === pattern);
    if (pattern !== "jit") expect(wanted.length, pattern).toBeGreaterThan(0); // these blocks have none
    const rows = await list(`pattern_type=${pattern}`);
    expect(named(rows.map(({ tx_hash: tx, log_index: index }) => ({ tx, index })))).toEqual(
      named(wanted.map(({ tx, finding }) => ({ tx: `0x${tx}`, index: finding.logIndex }))),
    );
    for (const row of rows) {
      const same = wanted.filter(({ tx, finding }) => `0x${tx}` === row.tx_hash && finding.logIndex === row.log_index);
      const profits = same.map((each) => String(wei(profitOf(each))));
      expect([profits, same.map(({ searcher }) => searcher)]).toEqual([
        expect.arrayContaining([String(row.profit_native_raw)]),
        expect.arrayContaining([row.searcher]),
      ]);
      expect(same.map(({ victims }) => victims)).toContainEqual(row.victim_txs);
    }
  }
  const rich = mev.filter((each) => (wei(profitOf(each)) ?? -1n) >= 10n ** 16n);
  expect(await list("min_profit=0.01")).toHaveLength(rich.length);
  const { searcher } = mev.find(({ finding }) => finding.kind === "sandwich")!;
  expect((await list(`address=${searcher}`)).length).toBeGreaterThan(0);
  for (const wrong of ["pattern_type=swap", "min_profit=x", "address=0x1"])
    await server.problem(`/api/v1/mev-opportunities?${wrong}`, 400);

  const times = mev.map(({ time }) => time).sort((a, b) => a - b);
  const middle = times[times.length >> 1]!;
  for (const [since, until] of [
    [0, 4e9],
    [0, middle],
    [middle, 4e9],
  ] as const) {
    const within = <T extends Placed>(all: readonly T[]) => all.filter(({ time }) => time >= since && time < until);
    const asked = `chain_id=1&since=${isoOf(since)}&until=${isoOf(until)}`;
    const sums = await server.read(`/api/v1/analytics/mev-summary?${asked}`, mevSummarySchema);
    const expected = (["arbitrage", "sandwich", "liquidation", "jit"] as const).flatMap((pattern) => {
      const found = within(mev).filter(({ finding }) => finding.kind === pattern);
      if (found.length === 0) return [];
      const groups = [...groupBy(found, ({ tx }) => tx).values()];
      const native = groups.flatMap((group) => {
        const profits = group.map((each) => profitOf(each));
        if (profits.some((profit) => wei(profit) === null)) return [];
        const costs = profits[0]!.gasCost! + (profits[0]!.feeRecipientPayment ?? 0n);
        return [profits.reduce((sum, profit) => sum + profit!.net! + costs, 0n) - costs];
      });
      const usd = groups.flatMap((group) => {
        if (pattern === "arbitrage") {
          const net = arbitrages.find(({ tx, definition }) => tx === group[0]!.tx && definition === "cycle")!.net;
          return net === null ? [] : [net / 1e6];
        }
        const profits = group.map((each) => profitOf(each));
        if (profits.some((profit) => profit?.netUsd == null || profit.grossUsd === null)) return [];
        return [sum(profits.map((profit) => profit!.grossUsd!)) - (profits[0]!.grossUsd! - profits[0]!.netUsd!)];
      });
      return [
        {
          ...{
            chain_id: 1,
            pattern_type: pattern,
            count: groups.length,
            priced: usd.length,
            priced_native: native.length,
          },
          searchers: new Set(groups.map(([first]) => first!.searcher)).size,
          victims: new Set(found.flatMap(({ victims }) => victims)).size,
          profit_native_raw: String(native.reduce((sum, amount) => sum + amount, 0n)),
          profit_usd: near(sum(usd)),
          max_profit_usd: near(usd.length === 0 ? null : Math.max(...usd)),
        },
      ];
    });
    expect(sums.patterns).toMatchObject(expected);
    expect(sums.count).toBe(sum(expected.map(({ count }) => count)));
    expect(sums.profit_usd).toBeCloseTo(sum(sums.patterns.map(({ profit_usd }) => profit_usd)), 6);
    expect(Number(sums.profit_usd_raw)).toBe(sums.profit_usd);
  }
  const none = await server.read("/api/v1/analytics/mev-summary?hours=24&chain_id=1", mevSummarySchema);
  expect([none.count, none.patterns, none.profit_usd_raw, none.hours]).toEqual([0, [], "0", 24]);
  for (const wrong of ["hours=0", "hours=8785", "hours=3&since=2024-01-01"])
    await server.problem(`/api/v1/analytics/mev-summary?${wrong}`, 400);
}

test.runIf(lines.length > 0)("every statistic is that of the findings", async () => {
  const records = lines.map((value, offset) => ({ offset, time: 0, content: CONTENT.json, value }));
  const { tables } = createProcessor(
    [],
    createWorld({ chains: [1] }),
  )(packBatch("mainnet", 0, 0, records.length, records));
  for (const [table, blocks] of Object.entries(tables)) {
    const columns = COLUMNS[table as TableName].map(([name]) => name);
    for (const { bytes, rows } of blocks ?? [])
      await server.store.insertBlock({ table, columns, format: "Native", bodies: [bytes], rows });
  }
  const [arbitrages, attempts]: [Arbitrage[], Placed[]] = [[], []];
  const mev: Mev[] = [];
  const detect = createDetector({ registry: createRegistry() });
  for (const view of blocksOfLines(lines)) {
    const findings = detect(view);
    const placeOf = (transaction: number): Placed => {
      const frame = view.frames[transaction]!;
      const time = u64AsNumber(view, frame + OFFSET.blockTimestamp);
      const hex = (at: number, width: number): string => hexAt(view, frame + at, width).slice(2);
      return {
        chain: 1,
        block: view.blockNumber!,
        hash: hex(OFFSET.blockHash, 32),
        time,
        tx: hex(OFFSET.hash, 32),
        from: hex(OFFSET.from, 20),
      };
    };
    for (const finding of findings) if (finding.kind === "attempt") attempts.push(placeOf(finding.transaction));
    mev.push(...mevOf(findings, placeOf));
    const made = findings.filter((finding): finding is ArbitrageFinding => finding.kind === "arbitrage");
    for (const routes of groupBy(made, ({ transaction, definition }) => `${transaction} ${definition}`).values()) {
      const [{ transaction, definition, profit }] = routes as [ArbitrageFinding];
      const frame = view.frames[transaction]!;
      const micros = (usd: number | null | undefined): number =>
        usd === null || usd === undefined ? Number.NaN : Math.round(usd * 1e6);
      const known = (number: number): number | null => (Number.isNaN(number) ? null : number);
      const costs = micros(profit?.grossUsd) - micros(profit?.netUsd);
      const paid = has(view, frame, PRESENT.effectiveGasPrice);
      arbitrages.push({
        ...placeOf(transaction),
        definition,
        net: known(sum(routes.map((route) => micros(route.profit?.grossUsd))) - costs),
        gas: known(micros(profit?.gasUsd)),
        gwei: paid ? Number(bigAt(view, frame + OFFSET.effectiveGasPrice, 16)) / 1e9 : null,
        hops: Math.max(...routes.map(({ route }) => route.length)),
      });
    }
  }
  const scene = { arbitrages, attempts, ...(await storedOpportunities()) };
  expect(arbitrages.length).toBeGreaterThan(20);
  expect(arbitrages.some(({ net }) => net !== null)).toBe(true);
  expect(scene.captures.length).toBeGreaterThan(0);
  await expectMev(mev, arbitrages);
  await expectExact(server, scene, new Set(), 1);
  expect(await closeHours(server.store)).toBeGreaterThan(5);
  await expectExact(server, scene, new Set(), 1);
});
