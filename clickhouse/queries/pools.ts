/** Pools as their swaps left them, the one that traded last first: what is stored of each is enough, nobody has to be asked. */
import { commonConditions, hex, isReplacedIn, named, paramsOf, plain, where } from "./list.ts";
import type { CommonFilter, Condition, ListSpec } from "./types.ts";

export interface PoolFilter extends CommonFilter {
  /** 0x… of 20 or 32 bytes */
  readonly pool?: string | undefined;
  /** 0x…: one of its tokens */
  readonly token?: string | undefined;
  /** as swaps have it: uniswap_v2, uniswap_v3 … */
  readonly protocol?: string | undefined;
}

/** Amounts as decimal strings, bytes as hex, times as RFC 3339. */
export interface PoolRow {
  readonly chain_id: string;
  readonly pool: string;
  readonly protocol: string;
  /** All that it was seen to trade, in the order that a pool of two has them. */
  readonly tokens: readonly string[];
  readonly swaps: string;
  readonly last_swap_at: string;
  readonly block_number: string;
  readonly last_tx: string;
  readonly reserve0_raw: string | null;
  readonly reserve1_raw: string | null;
  readonly sqrt_price_x96: string | null;
  readonly liquidity: string | null;
  readonly tick: number | null;
  /** Of pools of two tokens: what went through, of both directions together. */
  readonly volume0_raw: string | null;
  readonly volume1_raw: string | null;
  readonly imbalance_pct: number | null;
  readonly imbalance_pct_raw: number | null;
  readonly cursor: readonly string[];
}

const NATIVE = "unhex('eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee')";
/** Pools order their tokens by address; V4 writes the native coin as the zero address. */
const order = (token: string): string => `if(${token} = ${NATIVE}, '', toString(${token}))`;
const IS_FIRST = `${order("t.token_in")} < ${order("t.token_out")}`;
const LATEST = "(t.block_number, t.log_index)";

export const POOL_ORDER = { time: "last_swap_at", ties: { chain_id: "UInt64", pool: "String" } } as const;

/**
 * For listQuery and countQuery (list.ts).
 * Since and until say which swaps count, for volumes as for what a pool holds.
 */
export function poolsList(filter: PoolFilter): { list: ListSpec; conditions: Condition[] } {
  const { pool, token, protocol } = filter;
  const counted: Condition[] = [
    { sql: `NOT ${isReplacedIn("t")}` },
    ...commonConditions(filter, "event_time"),
    ...(pool === undefined ? [] : [{ sql: "t.pool = unhex({pool:String})", params: { pool: pool.slice(2) } }]),
    ...(token === undefined ? [] : [{ sql: "t.token_in = unhex({token:String}) OR t.token_out = unhex({token:String})", params: { token: token.slice(2) } }]), // biome-ignore format: a filter a line
    ...(protocol === undefined ? [] : [{ sql: "t.protocol = {protocol:String}", params: { protocol } }]),
  ];
  const table = `(
  SELECT p.*, b.pct AS imbalance_pct,
    if(least(p.reserve0, p.reserve1) > 0, (sqrt(toFloat64(greatest(p.reserve0, p.reserve1)) / toFloat64(least(p.reserve0, p.reserve1))) - 1) * 100, NULL) AS imbalance_pct_raw
  FROM (
    SELECT t.chain_id AS chain_id, lower(hex(t.pool)) AS pool, max(t.event_time) AS last_swap_at, count() AS swaps, argMax(t.protocol, ${LATEST}) AS protocol,
      arraySort(x -> if(x = ${NATIVE}, '', toString(x)), groupUniqArrayArray(8)([t.token_in, t.token_out])) AS tokens,
      argMax(tuple(t.block_number, t.tx_hash, t.reserve0, t.reserve1, t.sqrt_price_x96, t.liquidity, t.tick), ${LATEST}) AS state,
      state.1 AS block_number, state.2 AS last_tx, state.3 AS reserve0, state.4 AS reserve1, state.5 AS sqrt_price_x96, state.6 AS liquidity, state.7 AS tick,
      if(length(tokens) = 2, sum(if(${IS_FIRST}, t.amount_in, t.amount_out)), NULL) AS volume0,
      if(length(tokens) = 2, sum(if(${IS_FIRST}, t.amount_out, t.amount_in)), NULL) AS volume1
    FROM swaps AS t${where(counted)}
    GROUP BY t.chain_id, t.pool
  ) AS p
  LEFT JOIN (
    SELECT o.chain_id AS chain_id, lower(hex(o.pool)) AS pool, o.state_block AS block_number, any(o.imbalance_pct) AS pct
    FROM opportunities AS o WHERE o.kind = 'pool_imbalance' AND NOT ${isReplacedIn("o")} GROUP BY o.chain_id, o.pool, o.state_block
  ) AS b ON b.chain_id = p.chain_id AND b.pool = p.pool AND b.block_number = p.block_number
)`;
  const columns = [
    ...plain(
      "chain_id",
      "swaps",
      "block_number",
      "sqrt_price_x96",
      "liquidity",
      "last_swap_at",
      "protocol",
      "tick",
      "imbalance_pct",
      "imbalance_pct_raw",
    ),
    "concat('0x', t.pool) AS pool",
    `arrayMap(x -> ${hex("x")}, t.tokens) AS tokens`,
    ...["reserve0", "reserve1", "volume0", "volume1"].map((name) => `t.${name} AS ${name}_raw`),
  ];
  // What stands within the table has its values from here.
  const params = paramsOf(counted);
  return {
    list: { table, columns, bytes: named("last_tx"), order: POOL_ORDER },
    conditions: [{ sql: "t.swaps > 0", params }],
  };
}
