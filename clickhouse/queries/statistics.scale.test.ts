/** On a million arbitrages: what is read of them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeHours } from "../../engine/statistics/closeHours.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { ARBITRAGE_TRANSACTIONS, arbitragesOfQuery, arbitrageTransactionConditions } from "./arbitrageTransactions.ts";
import { rankedQuery } from "./arbitrageurs.ts";
import { ARBITRAGES, findingConditions, LIQUIDATIONS, SANDWICHES, SWAPS } from "./findingLists.ts";
import { closedHours, hourStats, openHoursQuery, openRowsQuery } from "./hours.ts";
import { listQuery } from "./list.ts";
import { figuresQuery } from "./stats.ts";
import type { Query } from "./types.ts";

let place: TemporaryStore;
const ROWS = 1_000_000;
const GRANULES = Math.ceil(ROWS / 8192);

/** 250,000 blocks of four chains, 12 s apart, with an arbitrage each: 34 days; 1,000 senders, of whom each block of 1,000 has one. */
beforeAll(async () => {
  place = await temporaryStore();
  await place.store.command(`
    INSERT INTO arbitrages (source, partition, offset, n, event_time, chain_id, block_number, block_hash, block_timestamp, tx_hash, tx_from, definition, tx_hops, tx_swaps, tx_net_usd)
    SELECT 's', 0, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + block * 12, 1 + chain, block, unhex(leftPad(lower(hex(number)), 64, '0')),
      toDateTime('2024-01-01 00:00:00', 'UTC') + block * 12, unhex(leftPad(lower(hex(number)), 64, '0')), unhex(leftPad(lower(hex(intDiv(number, 1000))), 40, '0')),
      'cycle', 2 + number % 3, 2, number % 1000
    FROM (SELECT number, intDiv(number, 250000) AS chain, number % 250000 AS block FROM numbers(${ROWS}))`);
});
afterAll(() => place?.remove());

/** Of a table, or one of its projections: granules that are read, of all statements of the plan together. */
async function granulesOf(table: string, { sql, params }: Query): Promise<number> {
  const rows = await place.store.rows<{ explain: string }>(`EXPLAIN indexes = 1, projections = 1 ${sql}`, {
    ...params,
  });
  const plan = rows.map(({ explain }) => explain).join("\n");
  const reads = plan
    .split(/(?=ReadFromMergeTree)/)
    .filter((read) => read.startsWith(`ReadFromMergeTree (${place.store.database}.${table})`));
  return reads.reduce((sum, read) => sum + Number(/Parts: \d+ \| Granules: (\d+)/.exec(read)?.[1] ?? Number.NaN), 0);
}

test("which hours are open is seen from the counts of the parts, and closed hours are read without their rows", async () => {
  const all = openHoursQuery({});
  expect(await granulesOf("arbitrages", all)).toBeLessThan(GRANULES / 10);
  const open = await place.store.rows<never>(all.sql, { ...all.params });
  expect(open).toHaveLength(4 * Math.ceil((250_000 * 12) / 3600));
  expect(await closeHours(place.store)).toBe(open.length);
  const ranking = { sortBy: "total_profit_usd", descending: true, minTransactions: 0 } as const;
  for (const query of [
    figuresQuery(closedHours({ chainId: 1 }, "cycle", []), "day"),
    rankedQuery(closedHours({}, "cycle", []), ranking, 100),
  ]) {
    expect(await granulesOf("arbitrages", query)).toBe(0);
    expect((await place.store.rows<unknown>(query.sql, { ...query.params })).length).toBeGreaterThan(0);
  }
  expect(await place.store.rows(all.sql, { ...all.params })).toEqual([]);
});

test("of an hour that is open only its own rows are read", async () => {
  const one = [{ chain: "2", hour: Date.UTC(2024, 0, 9, 7) / 1000, rows: "300", final: 1 }];
  // 300 rows may lie across the edges of granules and parts
  for (const query of [openRowsQuery(one), figuresQuery(hourStats({ chainId: 2 }, "cycle", one), "hour")])
    expect(await granulesOf("arbitrages", query)).toBeLessThanOrEqual(4);
});

test("lists of arbitrages read the newest, a sender's, a block's", async () => {
  const list = (filter: object): Query =>
    listQuery(ARBITRAGE_TRANSACTIONS, arbitrageTransactionConditions(filter, {}), { limit: 100, offset: 0 });
  expect(await granulesOf("arbitrages", list({ chainId: 1, since: new Date("2024-02-04T00:00:00Z") }))).toBeLessThan(
    GRANULES / 20,
  );
  expect(await granulesOf("arbitrages", list({ from: `0x${"3e7".padStart(40, "0")}` }))).toBeLessThan(GRANULES / 10);
  expect(await granulesOf("arbitrages", list({ hash: `0x${"3e7".padStart(64, "0")}` }))).toBeLessThan(GRANULES / 10);
  expect(await granulesOf("arbitrages", arbitragesOfQuery([[1, 77], [3, 200_000]], ["3e7".padStart(64, "0")], "cycle"))).toBeLessThanOrEqual(2); // biome-ignore format: one call
});

test("lists of other findings read the newest of all chains", async () => {
  for (const list of [SWAPS, SANDWICHES, LIQUIDATIONS, ARBITRAGES]) {
    const { table } = list;
    if (table !== "arbitrages")
      await place.store.command(`
        INSERT INTO ${table} (source, partition, offset, n, event_time, chain_id, block_number, log_index)
        SELECT 's', 0, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + number % 50000, 1 + intDiv(number, 50000), number % 50000, 0
        FROM numbers(200000) SETTINGS max_block_size = 50000`);
    const query = listQuery(list, findingConditions({}), { limit: 100, offset: 0 });
    expect(await granulesOf(table, query), table).toBeLessThanOrEqual(8); // of 28, or 123
  }
});
