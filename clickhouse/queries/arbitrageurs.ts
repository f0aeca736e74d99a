/** Arbitrageurs: senders of arbitrages, what they did in some hours (hours.ts), a row a chain and address. */
import type { Query } from "./types.ts";

/** Sums, as they add up. Integers and USD as decimal text. */
export interface SenderRow {
  /** `chain_id` and address name it: 53 bits, decimal text */
  readonly id: string;
  readonly chain_id: string;
  /** 40 upper-case hex digits. */
  readonly address: string;
  readonly successes: string;
  readonly failures: string;
  readonly profit: string;
  readonly priced: string;
  readonly gas: string;
  readonly gwei: number;
  readonly gwei_known: string;
  /** Arbitrages of 2, 3, 4 and more hops. */
  readonly hops: readonly string[];
  /** Unix seconds. */
  readonly first: number;
  readonly last: number;
}

/** What the list can be sorted by: expression and type. */
export const ARBITRAGEUR_ORDERS = {
  total_profit_usd: ["profit", "Decimal(38, 6)"],
  success_rate: ["100 * successes / (successes + failures)", "Float64"],
  total_transactions: ["successes + failures", "UInt64"],
  last_seen: ["last", "UInt32"],
  total_gas_spent_usd: ["gas", "Decimal(38, 6)"],
} as const;
export type ArbitrageurOrder = keyof typeof ARBITRAGEUR_ORDERS;

/** The list's order, and who is in it. Who has only failed is in none. */
export interface Ranking {
  readonly sortBy: ArbitrageurOrder;
  readonly descending: boolean;
  /** `0x…` */
  readonly address?: string | undefined;
  /** Failed ones included. */
  readonly minTransactions: number;
  /** Only who comes behind this value, chain and address (without 0x). */
  readonly after?: readonly [string, string, string] | undefined;
}

const SUMS = `toString(bitShiftRight(sipHash64(chain_id, a.address), 11)) AS id, chain_id, hex(a.address) AS address, sum(a.transactions) AS successes, sum(a.failed) AS failures,
  sum(a.profit) AS profit, sum(a.priced) AS priced, sum(a.gas) AS gas, sum(a.gas_gwei) AS gwei, sum(a.gas_known) AS gwei_known,
  [sum(a.hops2), sum(a.hops3), sum(a.hops4), sum(a.hops5)] AS hops, toUnixTimestamp(min(a.first_seen)) AS first, toUnixTimestamp(max(a.last_seen)) AS last`;

/** Rows are SenderRow, with the `hour`: everybody who did something in it. For ROW_SETTINGS. @param hours a table expression of hours.ts */
export const sendersQuery = (hours: Query): Query => ({
  sql: `SELECT ${SUMS}, toUnixTimestamp(hour_timestamp) AS hour FROM ${hours.sql} ARRAY JOIN arbitrageurs AS a GROUP BY chain_id, hour_timestamp, a.address`,
  params: hours.params,
});

/** Whom more is known of than these hours have. */
export type Sender = Pick<SenderRow, "chain_id" | "address">;

export interface RankedRow extends SenderRow {
  /** 1: one of `others`. */
  readonly other: number;
  /** How many belong to the list beside those, without cursor and limit. */
  readonly total: string;
}

/**
 * Rows are RankedRow: first all of `others` that these hours have, whatever they come to; then who belongs to the list, the first `limit` of it.
 * For ROW_SETTINGS. @param hours a table expression of hours.ts
 */
export function rankedQuery(hours: Query, ranking: Ranking, others: readonly Sender[], limit: number): Query {
  const { sortBy, descending, address, minTransactions, after } = ranking;
  const [value, type] = ARBITRAGEUR_ORDERS[sortBy];
  const [order, beyond] = descending ? ["DESC", "<"] : ["ASC", ">"];
  const isOther =
    others.length === 0
      ? "false"
      : "(chain_id, a.address) IN (SELECT o.1, toFixedString(unhex(o.2), 20) FROM (SELECT arrayJoin(arrayZip({other_chains:Array(UInt64)}, {others:Array(String)})) AS o))";
  const ranked = `SELECT ${SUMS}, toUInt8(${isOther}) AS other, countIf(other = 0) OVER () AS total
FROM ${hours.sql} ARRAY JOIN arbitrageurs AS a${address === undefined ? "" : "\nWHERE a.address = unhex({address:String})"}
GROUP BY chain_id, a.address
HAVING other OR (successes > 0 AND successes + failures >= {min_transactions:UInt64})`;
  const behind = `SELECT * FROM (${ranked}) WHERE other OR (${value}, chain_id, address) ${beyond} ({cursor_value:${type}}, {cursor_chain:UInt64}, upper({cursor_address:String}))`;
  return {
    sql: `${after ? behind : ranked}
ORDER BY other DESC, ${value} ${order}, chain_id ${order}, address ${order}
LIMIT {ranked:UInt32}`,
    params: {
      ...hours.params,
      ...(others.length > 0 && { other_chains: others.map(({ chain_id }) => Number(chain_id)), others: others.map((other) => other.address) }),
      ...(address !== undefined && { address: address.slice(2) }),
      ...(after && { cursor_value: after[0], cursor_chain: after[1], cursor_address: after[2] }),
      ...{ min_transactions: minTransactions, ranked: others.length + limit },
    },
  }; // biome-ignore format: parameters
}
