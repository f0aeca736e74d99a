/**
 * Fills the store with months: blocks that it has, repeated by ClickHouse itself. Of copy c all is as it was, but
 *
 *     chain      one of four in turn, so that lists of all chains have something to merge
 *     height     20,000,000 + c × blocks + the block's number among those there are; its time follows, 12 s a block
 *     hashes     SHA-256 of the former and c
 *     senders    every second one is somebody else in each copy: who sends always, and who has sent once
 */
import type { Store } from "../../clickhouse/client.ts";
import type { TableName } from "../../engine/worker/outcome.ts";

const CHAINS = [1, 10, 137, 42161];
const FIRST_HEIGHT = 20_000_000;
export const HISTORY_START = "2024-01-01 00:00:00";
const BLOCK_SECONDS = 12;
/** Rows of a statement: it holds them in memory. */
const STEP = 100_000;

const hash = (of: string): string => `SHA256(concat(t.${of}, toString(k)))`;
const address = (of: string): string => `toFixedString(substring(${hash(of)}, 1, 20), 20)`;
const HEIGHT = `(c * blocks + indexOf(heights, assumeNotNull(t.block_number)) - 1)`;
const TIME = `(toDateTime('${HISTORY_START}', 'UTC') + ${BLOCK_SECONDS} * ${HEIGHT})`;
const sender = (of: string): string =>
  `if(reinterpretAsUInt8(substring(t.${of}, 20)) % 2 = 0, t.${of}, ${address(of)})`;

const BLOCK = {
  chain_id: `[${CHAINS}][1 + c % ${CHAINS.length}]`,
  block_number: `${FIRST_HEIGHT} + ${HEIGHT}`,
  block_hash: hash("block_hash"),
  event_time: `toDateTime64(${TIME}, 6, 'UTC')`,
  offset: "t.offset + 1000000 * k",
};
const FINDING = { ...BLOCK, block_timestamp: TIME, tx_hash: hash("tx_hash"), tx_from: sender("tx_from") };
const TRANSFER = { ...BLOCK, block_timestamp: TIME, tx_hash: hash("tx_hash"), from_address: sender("from_address") };

/** What is new in a copy, by table and column. */
const CHANGES: Readonly<Partial<Record<TableName, Readonly<Record<string, string>>>>> = {
  transactions: { ...BLOCK, block_timestamp: TIME, hash: hash("hash"), from_address: sender("from_address") },
  alerts: { ...BLOCK, alert_id: `toFixedString(substring(${hash("alert_id")}, 1, 16), 16)`, tx_hash: hash("tx_hash"), from_address: sender("from_address") }, // biome-ignore format: one table a line
  dead_letters: { offset: BLOCK.offset, record_time: `toDateTime64('${HISTORY_START}', 3, 'UTC') + 60 * c` },
  transfers: TRANSFER,
  swaps: FINDING,
  arbitrages: FINDING,
  sandwiches: FINDING,
  liquidations: FINDING,
  jit_liquidity: FINDING,
  failed_attempts: FINDING,
  opportunities: { ...FINDING, state_block: BLOCK.block_number, pool: `if(k % times = 0, t.pool, ${address("pool")})`, opportunity_id: `toFixedString(substring(${hash("opportunity_id")}, 1, 16), 16)` }, // biome-ignore format: one table a line
  opportunity_captures: FINDING,
  gas_blocks: { ...BLOCK, block_timestamp: TIME },
};
/** The blocks have but two opportunities: they are in each copy so often, with other pools. */
const TIMES: Readonly<Partial<Record<TableName, number>>> = { opportunities: 100 };

/**
 * Replaces what the store has of blocks by copies of it.
 * @param wanted transactions, at least
 * @returns rows that each table must have now
 */
export async function fillHistory(
  store: Store,
  wanted: number,
  say: (text: string) => void,
): Promise<Map<TableName, number>> {
  const [known] = await store.rows<{ rows: string; heights: string[] }>(
    "SELECT toString(count()) AS rows, arrayMap(x -> toString(x), arraySort(groupUniqArray(assumeNotNull(block_number)))) AS heights FROM transactions",
  );
  const copies = Math.ceil(wanted / Number(known!.rows));
  const expected = new Map<TableName, number>();
  for (const [name, columns] of Object.entries(CHANGES)) {
    const table = name as TableName;
    const times = TIMES[table] ?? 1;
    const [rows, all] = [await countOf(store, table), times * copies];
    expected.set(table, rows * all);
    await store.command(`CREATE TABLE bench_seed ENGINE = Memory AS SELECT * FROM ${table}`);
    await store.command(`TRUNCATE TABLE ${table}`);
    const changed = Object.entries(columns).map(([column, sql]) => `${sql} AS ${column}`);
    const step = Math.max(1, Math.floor(STEP / rows));
    for (let first = 0; rows > 0 && first < all; first += step)
      await store.command(
        `INSERT INTO ${table} WITH [${known!.heights}] AS heights, ${known!.heights.length} AS blocks, ${times} AS times, intDiv(k, times) AS c
         SELECT t.* REPLACE (${changed.join(", ")}) FROM bench_seed AS t ARRAY JOIN range(${first}, ${Math.min(all, first + step)}) AS k
         SETTINGS insert_deduplicate = 0`,
      );
    say(`${rows * all} rows of ${table}`);
    await store.command("DROP TABLE bench_seed SYNC");
  }
  return expected;
}

export async function countOf(store: Store, table: string): Promise<number> {
  const [row] = await store.rows<{ rows: string }>(`SELECT toString(count()) AS rows FROM ${table}`);
  return Number(row!.rows);
}
