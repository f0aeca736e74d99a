/** Transactions that are arbitrages: found by what seed 002 filters by, and shown with what it says of them. */
import { z } from "@hono/zod-openapi";
import {
  type ArbitrageTransactionRow,
  arbitragesOfQuery,
  STRATEGIES,
} from "../clickhouse/queries/arbitrageTransactions.ts";
import { TRANSACTIONS, type TransactionRow } from "../clickhouse/queries/transactions.ts";
import type { Position } from "../clickhouse/queries/types.ts";
import type { ReadableStore } from "./deps.ts";
import { READ_SETTINGS, readPage } from "./list.ts";
import { decimalNumber, optional, wholeNumber } from "./parameters.ts";
import { definitionParameter, describe } from "./statistics/fields.ts";

/** Parameters of which any narrows the list to arbitrages. */
export const arbitrageParameters = {
  strategy: optional(
    z.enum(STRATEGIES, `Expected one of ${STRATEGIES.join(", ")}`),
    "arbitrages by the swaps of their longest route",
  ),
  min_swaps: optional(wholeNumber(1, 65_535), "arbitrages with at least so many swaps"),
  min_profit: optional(decimalNumber, "arbitrages with at least this net profit, USD"),
  definition: definitionParameter,
};

const usdText = (what: string) => describe(z.string().nullable(), `${what}, exact to a millionth, decimal text`);

/** What a transaction has beside its own fields if it is an arbitrage. */
export const arbitrageFields = {
  swap_count: describe(z.int(), "of an arbitrage: swaps of all its routes").optional(),
  strategy: describe(z.enum(STRATEGIES), "of an arbitrage: swaps of its longest route").optional(),
  gas_cost_usd: describe(z.number().nullable(), "of an arbitrage: gas_cost_native in USD").optional(),
  profit_gross_usd: describe(
    z.number().nullable(),
    "of an arbitrage: before gas and payments, USD; null where its token has no price",
  ).optional(),
  profit_gross_usd_raw: usdText("profit_gross_usd").optional(),
  profit_net_usd: describe(
    z.number().nullable(),
    "of an arbitrage: less gas and payments to the fee recipient, USD; null where it is not known",
  ).optional(),
  profit_net_usd_raw: usdText("profit_net_usd").optional(),
  pools_involved: describe(z.array(z.string()), "of an arbitrage: pools of its routes").optional(),
  tokens_involved: describe(z.array(z.string()), "of an arbitrage: tokens that its routes go through").optional(),
};

/** A row of ARBITRAGE_TRANSACTIONS. */
export interface Found extends Position {
  readonly chain_id: string;
  readonly cursor: readonly string[];
}

/** The transactions that were found, in the same order. */
export async function readFound(store: ReadableStore, found: readonly Found[]): Promise<readonly TransactionRow[]> {
  if (found.length === 0) return [];
  const condition = {
    sql: `(t.chain_id, t.event_time) IN (SELECT f.1, fromUnixTimestamp64Micro(f.2, 'UTC') FROM (SELECT arrayJoin(arrayZip({chains:Array(UInt64)}, {times:Array(Int64)})) AS f))
  AND (t.source, t.partition, t.offset, t.n) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {partitions:Array(UInt16)}, {offsets:Array(UInt64)}, {ns:Array(UInt32)})))`,
    params: {
      chains: found.map(({ chain_id }) => Number(chain_id)),
      times: found.map(({ cursor }) => Number(cursor[0])),
      sources: found.map(({ source }) => source),
      partitions: found.map(({ partition }) => partition),
      offsets: found.map(({ offset }) => Number(offset)),
      ns: found.map(({ n }) => n),
    },
  };
  return (await readPage<TransactionRow>(store, TRANSACTIONS, [condition], { limit: found.length, offset: 0 })).rows;
}

/** Gives each row that is an arbitrage its fields. */
export async function withArbitrages<
  Row extends { chain_id: number; tx_hash: string; block_number: number | null; block_hash: string | null },
>(store: ReadableStore, rows: readonly Row[], definition = "cycle") {
  const mined = rows.filter(({ block_number }) => block_number !== null);
  if (mined.length === 0) return rows;
  const blocks = new Map(
    mined.map(({ chain_id, block_number }) => [`${chain_id} ${block_number}`, [chain_id, block_number!] as const]),
  );
  const hashes = mined.map(({ tx_hash }) => tx_hash.slice(2));
  const { sql, params } = arbitragesOfQuery([...blocks.values()], hashes, definition);
  const found = await store.rows<ArbitrageTransactionRow>(sql, { ...params }, READ_SETTINGS);
  const key = (row: { chain_id: number | string; tx_hash: string; block_hash: string | null }): string =>
    `${row.chain_id} ${row.block_hash} ${row.tx_hash}`;
  const byKey = new Map(found.map((row) => [key(row), row]));
  return rows.map((row) => {
    const arbitrage = byKey.get(key(row));
    return arbitrage ? { ...row, ...toFields(arbitrage) } : row;
  });
}

const usd = (text: string | null): number | null => (text === null ? null : Number(text));

function toFields(row: ArbitrageTransactionRow) {
  return {
    swap_count: row.swap_count,
    strategy: STRATEGIES[Math.min(row.hops, 5) - 2]!,
    gas_cost_usd: usd(row.gas_cost_usd),
    profit_gross_usd: usd(row.profit_gross_usd),
    profit_gross_usd_raw: row.profit_gross_usd,
    profit_net_usd: usd(row.profit_net_usd),
    profit_net_usd_raw: row.profit_net_usd,
    pools_involved: [...row.pools_involved],
    tokens_involved: [...row.tokens_involved],
  };
}
