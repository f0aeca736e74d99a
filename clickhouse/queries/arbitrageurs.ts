/** Arbitrageurs: senders of arbitrages, a profile a chain and address, out of the statistics by hour. */
import { type Definition, hourStats, type OpenHour } from "./hours.ts";
import { hex, iso } from "./list.ts";
import type { CommonFilter, Query } from "./types.ts";

/** Decimal text where it may pass 2^53 or has to be exact. */
export interface ArbitrageurRow {
  readonly id: string;
  readonly chain_id: string;
  readonly address: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly total_transactions: string;
  readonly successful_transactions: string;
  readonly failed_transactions: string;
  readonly priced_transactions: string;
  readonly success_rate: number;
  readonly total_profit_usd: string;
  readonly total_gas_spent_usd: string;
  readonly avg_profit_per_tx_usd: number;
  readonly avg_gas_price_gwei: number | null;
  readonly preferred_strategy: string;
  readonly total: string;
  /** Value it is sorted by, chain, address. */
  readonly cursor: readonly [string, string, string];
}

/** What the list can be sorted by: expression and type. */
export const ARBITRAGEUR_ORDERS = {
  total_profit_usd: ["profit", "Decimal(38, 6)"],
  success_rate: ["rate", "Float64"],
  total_transactions: ["successes + failures", "UInt64"],
  last_seen: ["toUnixTimestamp(last)", "UInt32"],
  total_gas_spent_usd: ["gas", "Decimal(38, 6)"],
} as const;
export type ArbitrageurOrder = keyof typeof ARBITRAGEUR_ORDERS;

export interface ArbitrageurFilter extends CommonFilter {
  /** `0x…` */
  readonly address?: string | undefined;
  /** Failed ones included. */
  readonly minTransactions?: number | undefined;
}

export interface ArbitrageurPage {
  readonly sortBy: ArbitrageurOrder;
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
  readonly after?: readonly [string, string, string] | undefined;
}

/** Who has only failed is none. `total` is the number without limit, offset and cursor. @param open of openHoursQuery, for the same filter */
export function arbitrageursQuery(
  filter: ArbitrageurFilter,
  definition: Definition,
  open: readonly OpenHour[],
  { sortBy, descending, limit, offset, after }: ArbitrageurPage,
): Query {
  const hours = hourStats(filter, definition, open);
  const [value, type] = ARBITRAGEUR_ORDERS[sortBy];
  const [order, beyond] = descending ? ["DESC", "<"] : ["ASC", ">"];
  const { address, minTransactions = 0 } = filter;
  return {
    sql: `SELECT toString(bitShiftRight(sipHash64(chain, who), 11)) AS id, toString(chain) AS chain_id, ${hex("who")} AS address, ${iso("first")} AS first_seen,
  ${iso("last")} AS last_seen, toString(successes + failures) AS total_transactions, toString(successes) AS successful_transactions,
  toString(failures) AS failed_transactions, toString(priced) AS priced_transactions, rate AS success_rate,
  toString(profit) AS total_profit_usd, toString(gas) AS total_gas_spent_usd, toFloat64(profit) / (successes + failures) AS avg_profit_per_tx_usd,
  if(known > 0, gwei / known, NULL) AS avg_gas_price_gwei,
  ['2-hop', '3-hop', '4-hop', 'N-hop'][indexOf(hops, arrayMax(hops))] AS preferred_strategy, toString(total_) AS total,
  [toString(sorted), toString(chain), lower(hex(who))] AS cursor
FROM (
  SELECT *, chain_id AS chain, ${value} AS sorted, count() OVER () AS total_ FROM (
    SELECT chain_id, a.address AS who, sum(a.transactions) AS successes, sum(a.failed) AS failures, 100 * successes / (successes + failures) AS rate,
      sum(a.profit) AS profit, sum(a.priced) AS priced, sum(a.gas) AS gas, sum(a.gas_gwei) AS gwei, sum(a.gas_known) AS known,
      [sum(a.hops2), sum(a.hops3), sum(a.hops4), sum(a.hops5)] AS hops, min(a.first_seen) AS first, max(a.last_seen) AS last
    FROM ${hours.sql} ARRAY JOIN arbitrageurs AS a${address === undefined ? "" : "\n    WHERE a.address = unhex({address:String})"}
    GROUP BY chain_id, who
    HAVING successes > 0 AND successes + failures >= {min_transactions:UInt64}
  )
)${after ? `\nWHERE (sorted, chain, who) ${beyond} ({cursor_value:${type}}, {cursor_chain:UInt64}, unhex({cursor_address:String}))` : ""}
ORDER BY sorted ${order}, chain ${order}, who ${order}
LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
    params: {
      ...hours.params,
      ...(address !== undefined && { address: address.slice(2) }),
      min_transactions: minTransactions,
      ...(after && { cursor_value: after[0], cursor_chain: after[1], cursor_address: after[2] }),
      limit,
      offset,
    },
  };
}
