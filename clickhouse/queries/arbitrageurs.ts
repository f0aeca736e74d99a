/** Arbitrageurs: senders of arbitrages, what they did in some hours (hours.ts). */
import { type Period, STARTS, type Unit, versionSql } from "./hours.ts";
import type { Query } from "./types.ts";

/** Sums, as they add up. Integers and USD as decimal text. */
export interface RankedRow {
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
  /** How many belong to the list, without cursor and limit. */
  readonly total: string;
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

const NAME = "toString(bitShiftRight(sipHash64(chain_id, a.address), 11)) AS id, hex(a.address) AS address";
const SUMS = `${NAME}, chain_id, sum(a.transactions) AS successes, sum(a.failed) AS failures,
  sum(a.profit) AS profit, sum(a.priced) AS priced, sum(a.gas) AS gas, sum(a.gas_gwei) AS gwei, sum(a.gas_known) AS gwei_known,
  [sum(a.hops2), sum(a.hops3), sum(a.hops4), sum(a.hops5)] AS hops, toUnixTimestamp(min(a.first_seen)) AS first, toUnixTimestamp(max(a.last_seen)) AS last`;

/** Rows are RankedRow. For ROW_SETTINGS. @param hours a table expression of hours.ts */
export function rankedQuery(hours: Query, ranking: Ranking, limit: number): Query {
  const { sortBy, descending, address, minTransactions, after } = ranking;
  const [value, type] = ARBITRAGEUR_ORDERS[sortBy];
  const [order, beyond] = descending ? ["DESC", "<"] : ["ASC", ">"];
  const ranked = `SELECT ${SUMS}, count() OVER () AS total
FROM ${hours.sql} ARRAY JOIN arbitrageurs AS a${address === undefined ? "" : "\nWHERE a.address = unhex({address:String})"}
GROUP BY chain_id, a.address
HAVING successes > 0 AND successes + failures >= {min_transactions:UInt64}`;
  const behind = `SELECT * FROM (${ranked}) WHERE (${value}, chain_id, address) ${beyond} ({cursor_value:${type}}, {cursor_chain:UInt64}, upper({cursor_address:String}))`;
  return {
    sql: `${after ? behind : ranked}
ORDER BY ${value} ${order}, chain_id ${order}, address ${order}
LIMIT {ranked:UInt32}`,
    params: {
      ...hours.params,
      ...(address !== undefined && { address: address.slice(2) }),
      ...(after && { cursor_value: after[0], cursor_chain: after[1], cursor_address: after[2] }),
      ...{ min_transactions: minTransactions, ranked: limit },
    },
  };
}

/** Everybody who did something in an hour or day, in columns: the i-th of each is the i-th sender's. */
export interface SendersRow extends Period {
  /** Of closed hours: `versionOf`. */
  readonly version?: string;
  readonly ids: readonly string[];
  /** 40 upper-case hex digits. */
  readonly addresses: readonly string[];
  /** COUNTS of each, one sender after the other. */
  readonly counts: readonly number[];
  /** AMOUNTS of each. */
  readonly amounts: readonly number[];
}

/** Whole numbers below 2^32, of a sender and period; times in Unix seconds. USD: what is above the amount's whole ones, in millionths. */
export const COUNTS = ["successes", "failures", "priced", "gweiKnown", "hops2", "hops3", "hops4", "hops5", "profitMicros", "gasMicros", "first", "last"] as const; // biome-ignore format: a row
/** USD without what is behind the point, rounded down: exact to 2^53. */
export const AMOUNTS = ["profit", "gas", "gwei"] as const;

const MICROS = (usd: string): string => `(${usd} - floor(${usd})) * 1000000`;
const SENDER_COUNTS = [
  ...["transactions", "failed", "priced", "gas_known", "hops2", "hops3", "hops4", "hops5"].map((of) => `sum(a.${of})`),
  ...[MICROS("sum(a.profit)"), MICROS("sum(a.gas)")],
  ...["toUnixTimestamp(min(a.first_seen))", "toUnixTimestamp(max(a.last_seen))"],
];
const SENDER_AMOUNTS = ["floor(sum(a.profit))", "floor(sum(a.gas))", "sum(a.gas_gwei)"];

/** Rows are SendersRow: one a chain and period, of each that these hours have. @param closed they have a `version`: closedOf */
export function sendersQuery(hours: Query, unit: Unit, closed: boolean): Query {
  const all = (type: string, values: readonly string[]): string => `[${values.map((value) => `to${type}(${value})`)}]`;
  return {
    sql: `SELECT toString(chain_id) AS chain, toUnixTimestamp(period) AS hour, groupArrayIf(id, here) AS ids, groupArrayIf(address, here) AS addresses,
  groupArrayArrayIf(counted, here) AS counts, groupArrayArrayIf(amounted, here) AS amounts${closed ? `, ${versionSql("max(latest)", "length(groupUniqArrayArray(hours))")} AS version` : ""}
FROM (
  SELECT chain_id, ${STARTS[unit]("hour_timestamp")} AS period, ${NAME}, sum(a.transactions + a.failed) > 0 AS here,
    ${all("UInt32", SENDER_COUNTS)} AS counted, ${all("Float64", SENDER_AMOUNTS)} AS amounted${closed ? ", max(version) AS latest, groupUniqArray(hour_timestamp) AS hours" : ""}
  FROM ${hours.sql} LEFT ARRAY JOIN arbitrageurs AS a
  GROUP BY chain_id, period, a.address
)
GROUP BY chain_id, period`,
    params: hours.params,
  };
}
