/** Which arbitrage captures which opportunity, asked of the real store. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { encodeFindings, type FindingRow, type FindingTable } from "../tables/findings.ts";
import { COLUMNS } from "../tables.ts";
import { countQuery } from "./list.ts";
import {
  type Captured,
  type OpportunityFilter,
  type OpportunityRow,
  opportunityConditions,
  opportunityList,
  withCaptures,
} from "./opportunities.ts";
import { readList } from "./readList.ts";

const bytes = (length: number, digit: string): string => `0x${digit.repeat(2 * length)}`;
const POOL = bytes(20, "a");
const START = 1_700_000_000;

let place: TemporaryStore;
beforeAll(async () => {
  place = await temporaryStore();
});
afterAll(() => place.remove());

async function insert<T extends FindingTable>(table: T, rows: readonly FindingRow<T>[]): Promise<void> {
  const block = encodeFindings(table, rows);
  const columns = COLUMNS[table].map(([name]) => name);
  await place.store.insertBlock({ table, columns, format: "Native", bodies: [block.bytes], rows: rows.length });
}

const at = (offset: number, seconds: number, tx: string) => ({
  ...{ source: "s", partition: 0, offset, n: 0, event_time: (START + seconds) * 1e6, chain_id: 1 },
  ...{ tx_hash: bytes(32, tx), tx_from: bytes(20, tx), tx_to: bytes(20, "f") },
});
const inBlock = (offset: number, block: number, seconds: number, tx: string, hash = "b") => ({
  ...at(offset, seconds, tx),
  ...{ block_number: block, block_hash: bytes(32, hash), block_timestamp: START + seconds, transaction_index: offset },
});
const pending = (offset: number, seconds: number, tx: string) => ({
  ...at(offset, seconds, tx),
  ...{ block_number: null, block_hash: null, block_timestamp: null, transaction_index: null },
});

/** @param usd millionths */
const opportunity = (id: string, state: number, usd: bigint | null, pool = POOL) => ({
  ...{ opportunity_id: bytes(16, id), log_index: null, state_block: state, dex: "SushiSwap", pool },
  ...{ token0: bytes(20, "1"), token1: bytes(20, "2"), reserve0: 1.5, reserve1: null },
  ...{ reserve0_raw: 2n ** 100n, reserve1_raw: 7n, sqrt_price_x96: null, liquidity: null, imbalance_pct: 7.5, imbalance_pct_raw: 3e3 },
  ...{ other_dex: "", other_pool: null, profit_token: bytes(20, "2"), amount_in_raw: 5n, amount_out_raw: 9n, profit_raw: 4n },
  ...{ gas_cost_raw: 5n, profit_native: -1e-18, profit_native_raw: -1n, profit_usd: usd },
  ...{ is_small_opportunity: usd === null ? null : usd >= 10_000_000_000n },
  ...{ exposure_token: null, exposure_front_raw: null, exposure_loss_raw: null, exposure_profit_raw: null },
}); // biome-ignore format: parts of a row
const judged = { status: "confirmed", confidence: "high", reason: "because", evidence: [] };
const capture = { log_index: 3, pool: POOL, account: bytes(20, "e") };

async function list(filter: OpportunityFilter = {}, after?: readonly string[]): Promise<(OpportunityRow & Captured)[]> {
  const page = { limit: 100, offset: 0, after };
  const { rows } = await readList<OpportunityRow>(
    place.store,
    opportunityList(filter),
    opportunityConditions(filter),
    page,
  );
  return withCaptures(place.store, rows);
}
const first = ({ id }: OpportunityRow): string => id[0]!;

test("the first arbitrage through the pool behind an opportunity's state captures it, if it comes in time and its block stands", async () => {
  const imbalance = { kind: "pool_imbalance" };
  const concentrated = { sqrt_price_x96: 2n ** 159n, liquidity: 2n ** 127n };
  await insert("opportunities", [
    [inBlock(1, 100, 0, "1"), { ...opportunity("1", 100, 12_345_678_900n), ...imbalance }, judged],
    [pending(2, 24, "2"), { ...opportunity("2", 102, null), kind: "pending_backrun", ...concentrated }, { ...judged, status: "pending" }],
    [inBlock(3, 104, 48, "3"), { ...opportunity("3", 104, 5_000_000n), ...imbalance }, judged],
    [inBlock(4, 100, 0, "4"), { ...opportunity("4", 100, 0n, bytes(20, "9")), ...imbalance }, judged],
    [inBlock(5, 105, 60, "5", "d"), { ...opportunity("5", 105, 0n), ...imbalance }, judged],
  ]); // biome-ignore format: a row a line
  await insert("opportunity_captures", [
    [inBlock(10, 100, 0, "6"), capture], // the block that made it: not behind it
    [inBlock(12, 103, 36, "8"), capture],
    [inBlock(11, 103, 36, "7"), capture],
    [inBlock(13, 106, 72, "9", "d"), capture],
    [inBlock(14, 130, 349, "a"), capture], // 301 seconds behind the third
  ]);
  await place.store.command(
    `INSERT INTO replaced_blocks SELECT 1, n, unhex('${"d".repeat(64)}'), 1, 0 FROM (SELECT arrayJoin([105, 106]) AS n)`,
  );
  const found = await list();
  expect(found.map((row) => [first(row), row.captured, row.captured_by?.[2] ?? null, row.captured_at])).toEqual([
    ["3", false, null, null],
    ["2", true, "7", "2023-11-14T22:13:56.000000Z"],
    ["4", false, null, null],
    ["1", true, "7", "2023-11-14T22:13:56.000000Z"],
  ]);
  expect(found.map(({ status }) => status)).toEqual(["confirmed", "pending", "confirmed", "confirmed"]);
  expect(found[1]).toMatchObject({ sqrt_price_x96: String(2n ** 159n), liquidity: String(2n ** 127n) });
  expect(found.at(-1)).toMatchObject({
    ...{
      sqrt_price_x96: null,
      liquidity: null,
      chain_id: "1",
      block_number: "100",
      pool: POOL,
      reserve0: 1.5,
      reserve1: null,
      imbalance_pct: 7.5,
    },
    ...{ reserve0_raw: String(2n ** 100n), profit_usd: 12345.6789, profit_usd_raw: "12345.6789", profit_raw: "4" },
    ...{ profit_native_raw: "-1", is_small_opportunity: true, other_pool: null, captured_tx: bytes(32, "7") },
    ...{ detected_at: "2023-11-14T22:13:20.000000Z" },
  });
});

test("filters, pages and counts", async () => {
  const ids = async (filter: OpportunityFilter) => (await list(filter)).map(first).join("");
  expect(await ids({ captured: true })).toBe("21");
  expect(await ids({ captured: false, kind: "pool_imbalance" })).toBe("34");
  expect(await ids({ minProfit: 1, maxProfit: 20_000 })).toBe("31");
  expect(await ids({ pool: bytes(20, "9") })).toBe("4");
  expect(await ids({ chainId: 2 })).toBe("");
  const [start] = await list();
  expect((await list({}, start!.cursor)).map(first).join("")).toBe("241");
  const page = (after?: readonly string[]) =>
    readList<OpportunityRow>(
      place.store,
      opportunityList({ captured: true }),
      opportunityConditions({ captured: true }),
      { limit: 1, offset: 0, after, counted: true },
    );
  const walked = [await page()];
  for (let i = 0; i < 2; i++) walked.push(await page(walked.at(-1)!.rows[0]!.cursor));
  expect(walked.map(({ rows, total }) => [...rows.map(first), total])).toEqual([["2", "2"], ["1", "2"], [undefined]]);
  const count = countQuery(opportunityList({ captured: true }), opportunityConditions({ captured: true }));
  expect(await place.store.rows(count.sql, count.params)).toEqual([{ total: "2" }]);
});
