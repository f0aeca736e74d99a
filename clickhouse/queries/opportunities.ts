/** Opportunities, newest first, each with what captured it. Those of replaced blocks, and captures in replaced blocks, have not happened. */
import { blockStatus, commonConditions, HAPPENED, isReplacedIn, named, plain } from "./list.ts";
import { type ListSource, ROW_SETTINGS } from "./readList.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position } from "./types.ts";

/** An arbitrage takes an opportunity if it comes so soon: what seed 002 gives one to live (CACHE_OPPORTUNITY_TTL). */
export const CAPTURE_SECONDS = 300;

const timeOf = (row: string): string => `ifNull(toDateTime64(${row}.block_timestamp, 6, 'UTC'), ${row}.event_time)`;

/** The first arbitrage of each block through each pool. */
const captures = (
  conditions: readonly string[],
): string => `SELECT chain_id, pool, block_number, min(${timeOf("c")}) AS at,
      argMin(tx_from, (transaction_index, log_index)) AS by, argMin(tx_hash, (transaction_index, log_index)) AS tx
    FROM opportunity_captures AS c WHERE ${[`NOT ${isReplacedIn("c")}`, ...conditions].join(" AND ")} GROUP BY chain_id, pool, block_number`;

/**
 * A table expression: the columns of `opportunities` but for those of replaced blocks, and
 *
 *     captured        Bool
 *     captured_by     Nullable(FixedString(20))         sender of the first arbitrage through the pool behind the opportunity's state_block
 *     captured_at     Nullable(DateTime64(6, 'UTC'))    time of its block, within CAPTURE_SECONDS
 *     captured_tx     Nullable(FixedString(32))
 *
 * @param conditions on columns of `o`, a row of `opportunities`: so that no more is joined than is asked for
 * @param ofCaptures on columns of `c`, a row of `opportunity_captures`: for the same
 */
export function capturedOpportunities(conditions: readonly string[] = [], ofCaptures: readonly string[] = []): string {
  const isIn = `c.block_number > 0 AND c.at <= ${timeOf("o")} + INTERVAL ${CAPTURE_SECONDS} SECOND`;
  const wanted = [`NOT ${isReplacedIn("o")}`, ...conditions].map((condition) => `(${condition})`).join(" AND ");
  return `(
  SELECT o.*, toBool(${isIn}) AS captured, if(captured, c.by, NULL) AS captured_by, if(captured, c.at, NULL) AS captured_at,
    if(captured, c.tx, NULL) AS captured_tx
  FROM (SELECT * FROM opportunities AS o WHERE ${wanted}) AS o
  ASOF LEFT JOIN (${captures(ofCaptures)}) AS c ON o.chain_id = c.chain_id AND o.pool = c.pool AND o.state_block < c.block_number
)`;
}

export interface OpportunityFilter extends CommonFilter {
  readonly kind?: "pool_imbalance" | "pending_backrun" | undefined;
  /** USD, after gas; one whose profit is not known is neither above nor below. */
  readonly minProfit?: number | undefined;
  readonly maxProfit?: number | undefined;
  readonly captured?: boolean | undefined;
  /** 0x… */
  readonly pool?: string | undefined;
}

/** Amounts as decimal strings, bytes as hex, times as RFC 3339. */
export interface OpportunityRow extends Position {
  readonly id: string;
  readonly kind: "pool_imbalance" | "pending_backrun";
  readonly chain_id: string;
  /** null while pending */
  readonly block_number: string | null;
  readonly state_block: string;
  readonly tx_hash: string;
  readonly dex: string;
  readonly pool: string;
  readonly token0: string;
  readonly token1: string;
  readonly reserve0: number | null;
  readonly reserve1: number | null;
  readonly reserve0_raw: string;
  readonly reserve1_raw: string;
  readonly sqrt_price_x96: string | null;
  readonly liquidity: string | null;
  readonly imbalance_pct: number | null;
  readonly imbalance_pct_raw: number;
  readonly other_dex: string;
  readonly other_pool: string | null;
  readonly profit_token: string | null;
  readonly amount_in_raw: string | null;
  readonly amount_out_raw: string | null;
  readonly profit_raw: string | null;
  readonly gas_cost_raw: string | null;
  readonly profit_native: number | null;
  readonly profit_native_raw: string | null;
  readonly profit_usd: number | null;
  readonly profit_usd_raw: string | null;
  readonly is_small_opportunity: boolean | null;
  readonly exposure_token: string | null;
  readonly exposure_front_raw: string | null;
  readonly exposure_loss_raw: string | null;
  readonly exposure_profit_raw: string | null;
  /** Never `retracted`: those are left out. */
  readonly status: "pending" | "provisional" | "confirmed";
  readonly confidence: string;
  readonly reason: string;
  readonly detected_at: string;
  /** Of its block, or when it was seen, µs: an arbitrage captures it up to CAPTURE_SECONDS behind that. */
  readonly begins: string;
  readonly cursor: readonly string[];
}

export interface Captured {
  readonly captured: boolean;
  readonly captured_by: string | null;
  readonly captured_at: string | null;
  readonly captured_tx: string | null;
}

/**
 * Rows of OpportunityRow. What captured them is asked for a page at a time, by withCaptures: a join before there is a page took the store three times as
 * long, most of it to plan.
 */
export const OPPORTUNITIES: ListSpec = {
  table: "opportunities",
  keys: "opportunities",
  // the id as a number: a cursor can carry that
  order: {
    time: "event_time",
    ties: { ...POSITION_TIES, id_number: "UInt64" },
    made: { id_number: "reinterpretAsUInt64(t.opportunity_id)" },
  },
  columns: [
    "lower(hex(t.opportunity_id)) AS id",
    ...plain("source", "partition", "n", "kind", "dex", "reserve0", "reserve1", "imbalance_pct", "imbalance_pct_raw"),
    ...plain("other_dex", "profit_native", "is_small_opportunity", "confidence", "reason"),
    ...plain("offset", "chain_id", "block_number", "state_block", "reserve0_raw", "reserve1_raw", "amount_in_raw"),
    ...plain("amount_out_raw", "profit_raw", "gas_cost_raw", "profit_native_raw", "sqrt_price_x96", "liquidity"),
    ...plain("exposure_front_raw", "exposure_loss_raw", "exposure_profit_raw"),
    "toFloat64(t.profit_usd) AS profit_usd",
    "t.profit_usd AS profit_usd_raw",
    `if(t.status = 'provisional', t.status, ${blockStatus}) AS status`,
    "t.event_time AS detected_at",
    `toUnixTimestamp64Micro(${timeOf("t")}) AS begins`,
  ],
  bytes: named("tx_hash", "pool", "token0", "token1", "other_pool", "profit_token", "exposure_token"),
};

/** Of those that are asked for by whether they were captured, that is joined before, to find which they are; through most pools no arbitrage ever went. */
export function opportunityList({ captured }: Pick<OpportunityFilter, "captured">): ListSpec {
  if (captured === undefined) return OPPORTUNITIES;
  const may = "(o.chain_id, o.pool) IN (SELECT chain_id, pool FROM opportunity_captures)";
  const { table: columnsFrom } = OPPORTUNITIES;
  return { ...OPPORTUNITIES, table: capturedOpportunities(captured ? [may] : []), keys: undefined, columnsFrom };
}

/** For opportunityList with the same filter. */
export function opportunityConditions(filter: OpportunityFilter): Condition[] {
  const { kind, minProfit, maxProfit, captured, pool } = filter;
  return [
    captured === undefined ? HAPPENED : { sql: "t.captured = {captured:Bool}", params: { captured } },
    ...commonConditions(filter, "event_time"),
    ...(kind === undefined ? [] : [{ sql: "t.kind = {kind:String}", params: { kind } }]),
    ...(minProfit === undefined ? [] : [{ sql: "t.profit_usd >= {min_profit:Float64}", params: { min_profit: minProfit } }]), // biome-ignore format: a filter a line
    ...(maxProfit === undefined ? [] : [{ sql: "t.profit_usd <= {max_profit:Float64}", params: { max_profit: maxProfit } }]), // biome-ignore format: a filter a line
    ...(pool === undefined ? [] : [{ sql: "t.pool = unhex({pool:String})", params: { pool: pool.slice(2) } }]),
  ];
}

/** Gives opportunities what captured them, by one query. @param settings of it */
export async function withCaptures<Row extends OpportunityRow>(
  source: ListSource,
  rows: readonly Row[],
  settings: Readonly<Record<string, string | number>> = {},
): Promise<(Row & Captured)[]> {
  if (rows.length === 0) return [];
  const leasts = new Map<number, number>();
  for (const { chain_id, state_block } of rows) {
    const [chain, state] = [Number(chain_id), Number(state_block)];
    leasts.set(chain, Math.min(state, leasts.get(chain) ?? state));
  }
  const params = {
    chains: rows.map(({ chain_id }) => Number(chain_id)),
    pools: rows.map(({ pool }) => pool.slice(2)),
    ...{ least_chains: [...leasts.keys()], leasts: [...leasts.values()] },
    ends: Math.max(...rows.map(endOf)),
  };
  const byPool = new Map<string, CaptureRow[]>();
  for (const capture of await source.rows<CaptureRow>(CAPTURES, params, { ...settings, ...ROW_SETTINGS })) {
    const key = `${capture.chain_id} 0x${capture.pool.toLowerCase()}`;
    const known = byPool.get(key);
    if (known) known.push(capture);
    else byPool.set(key, [capture]);
  }
  return rows.map((row) => {
    const behind = byPool.get(`${row.chain_id} ${row.pool}`) ?? [];
    const first = behind.find(({ block_number }) => BigInt(block_number) > BigInt(row.state_block));
    return { ...row, ...(first && Number(first.micros) <= endOf(row) ? capturedBy(first) : NOT_CAPTURED) };
  });
}

/** µs */
const endOf = ({ begins }: OpportunityRow): number => Number(begins) + CAPTURE_SECONDS * 1_000_000;

const NOT_CAPTURED: Captured = { captured: false, captured_by: null, captured_at: null, captured_tx: null };
const capturedBy = ({ tx_from, at, tx_hash }: CaptureRow): Captured => ({
  ...{ captured: true, captured_by: `0x${tx_from.toLowerCase()}`, captured_at: at },
  captured_tx: `0x${tx_hash.toLowerCase()}`,
});

interface CaptureRow {
  readonly chain_id: string;
  readonly pool: string;
  readonly block_number: string;
  readonly at: string;
  readonly micros: string;
  readonly tx_from: string;
  readonly tx_hash: string;
}

/** Of these pools, the first come first: behind the least state of each chain, and not later than the last of the page could be captured. */
const CAPTURES = `SELECT c.chain_id AS chain_id, hex(c.pool) AS pool, c.block_number AS block_number, ${timeOf("c")} AS at,
  toUnixTimestamp64Micro(at) AS micros, hex(c.tx_from) AS tx_from, hex(c.tx_hash) AS tx_hash
FROM opportunity_captures AS c
WHERE (c.chain_id, c.pool) IN (SELECT p.1, unhex(p.2) FROM (SELECT arrayJoin(arrayZip({chains:Array(UInt64)}, {pools:Array(String)})) AS p))
  AND c.block_number > transform(c.chain_id, {least_chains:Array(UInt64)}, {leasts:Array(UInt64)}, toUInt64(0))
  AND at <= fromUnixTimestamp64Micro({ends:Int64}, 'UTC') AND NOT ${isReplacedIn("c")}
ORDER BY c.block_number, c.transaction_index, c.log_index`;
