/** Arbitrage transactions: the transactions of seed 002, with what it says of them. */
import { commonConditions, equal, equalHex, hex, isReplacedIn, plain } from "./list.ts";
import type { TransactionFilter } from "./transactions.ts";
import { type Condition, type ListSpec, POSITION_TIES, type Query } from "./types.ts";

/** Any of these narrows transactions to arbitrages. */
export interface ArbitrageFilter {
  readonly definition?: string | undefined;
  /** `3-hop`: of the longest route. */
  readonly strategy?: Strategy | undefined;
  readonly minSwaps?: number | undefined;
  /** Net, USD. */
  readonly minProfit?: number | undefined;
}

export const STRATEGIES = ["2-hop", "3-hop", "4-hop", "N-hop"] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** In the order of TRANSACTIONS, so their cursors are the same. Rows have nothing but where the transaction is. */
export const ARBITRAGE_TRANSACTIONS: ListSpec = {
  table: "arbitrages",
  keys: "arbitrages",
  order: { time: "event_time", ties: POSITION_TIES },
  columns: plain("source", "partition", "offset", "n", "chain_id"),
};

/** Of route 0, which stands for its transaction; nothing of replaced blocks. */
export function arbitrageTransactionConditions(filter: TransactionFilter, arbitrage: ArbitrageFilter): Condition[] {
  const { definition = "cycle", strategy, minSwaps, minProfit } = arbitrage;
  const { status, pending, tag, minRisk } = filter;
  const hops = strategy && STRATEGIES.indexOf(strategy) + 2;
  return [
    ...commonConditions(filter, "event_time"),
    { sql: `t.route = 0 AND t.definition = {definition:String} AND NOT ${isReplacedIn("t")}`, params: { definition } },
    ...equalHex("tx_hash", filter.hash),
    ...equalHex("tx_from", filter.from),
    ...equalHex("tx_to", filter.to),
    ...equal("block_number", "UInt64", filter.blockNumber),
    ...(hops === undefined ? [] : [{ sql: `t.tx_hops ${hops > 4 ? ">=" : "="} {hops:UInt16}`, params: { hops } }]),
    ...(minSwaps === undefined ? [] : [{ sql: "t.tx_swaps >= {min_swaps:UInt16}", params: { min_swaps: minSwaps } }]),
    ...(minProfit === undefined ? [] : [{ sql: "t.tx_net_usd >= {min_profit:Float64}", params: { min_profit: minProfit } }]),
    // An arbitrage is mined and has not failed; what only the transaction's row knows is asked there.
    ...(status === 0 || pending === true ? [{ sql: "false" }] : []),
    ...(tag === undefined && minRisk === undefined ? [] : [inTransactions(tag, minRisk)]),
  ]; // biome-ignore format: a filter a line
}

function inTransactions(tag: string | undefined, minRisk: number | undefined): Condition {
  const wanted = [
    ...(tag === undefined ? [] : ["has(tags, {tag:String})"]),
    ...(minRisk === undefined ? [] : ["risk >= {min_risk:UInt8}"]),
  ];
  return {
    sql: `(t.chain_id, t.event_time, t.source, t.partition, t.offset, t.n) IN (SELECT chain_id, event_time, source, partition, offset, n FROM transactions WHERE ${wanted.join(" AND ")})`,
    params: { ...(tag !== undefined && { tag }), ...(minRisk !== undefined && { min_risk: minRisk }) },
  };
}

/** What seed 002 says of an arbitrage transaction; integers and USD as decimal text. */
export interface ArbitrageTransactionRow {
  readonly chain_id: string;
  readonly tx_hash: string;
  readonly block_hash: string | null;
  readonly definition: string;
  readonly swap_count: number;
  readonly hops: number;
  readonly gas_cost_usd: string | null;
  readonly profit_gross_usd: string | null;
  readonly profit_net_usd: string | null;
  readonly pools_involved: readonly string[];
  readonly tokens_involved: readonly string[];
}

/** Of transactions in these blocks, of chain and height, which is how the table is ordered. @param hashes 64 digits each */
export function arbitragesOfQuery(
  blocks: readonly (readonly [chain: number, height: number])[],
  hashes: readonly string[],
  definition: string,
): Query {
  const perHash = (column: string): string =>
    `arrayMap(x -> ${hex("x")}, arrayDistinct(arrayFlatten(groupArray(t.${column})))) AS ${column === "route_pools" ? "pools_involved" : "tokens_involved"}`;
  return {
    sql: `SELECT toString(t.chain_id) AS chain_id, ${hex("t.tx_hash")} AS tx_hash, ${hex("t.block_hash")} AS block_hash, t.definition AS definition,
  any(t.tx_swaps) AS swap_count, any(t.tx_hops) AS hops, toString(any(t.tx_gas_usd)) AS gas_cost_usd, toString(any(t.tx_gross_usd)) AS profit_gross_usd,
  toString(any(t.tx_net_usd)) AS profit_net_usd, ${perHash("route_pools")}, ${perHash("route_tokens")}
FROM arbitrages AS t
WHERE (t.chain_id, t.block_number) IN (SELECT arrayJoin(arrayZip({chains:Array(UInt64)}, {heights:Array(UInt64)})))
  AND t.tx_hash IN (SELECT unhex(arrayJoin({hashes:Array(String)}))) AND t.definition = {definition:String}
GROUP BY t.chain_id, t.tx_hash, t.block_hash, t.definition`,
    params: { chains: blocks.map(([chain]) => chain), heights: blocks.map(([, height]) => height), hashes, definition },
  };
}
