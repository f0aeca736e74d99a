/** What was extracted in blocks: arbitrages (cycle), sandwiches, liquidations, just-in-time liquidity; nothing of replaced blocks. */
import { blockStatus, commonConditions, hex, isReplacedIn, named, paramsOf, plain, where } from "./list.ts";
import { type CommonFilter, type Condition, type ListSpec, POSITION_TIES, type Position, type Query } from "./types.ts";

export const PATTERNS = ["arbitrage", "sandwich", "liquidation", "jit"] as const;
export type Pattern = (typeof PATTERNS)[number];

export interface MevFilter extends CommonFilter {
  /** In the chain's coin, after gas and payments; where it is not known, the row is left out. */
  readonly minProfit?: number | undefined;
  /** `0x…`: who did it, or sent the transaction. */
  readonly address?: string | undefined;
}

/** Amounts as decimal strings, bytes as hex, times as RFC 3339. */
export interface MevRow extends Position {
  readonly id: string;
  readonly pattern_type: Pattern;
  readonly chain_id: string;
  readonly tx_hash: string;
  readonly from_address: string;
  readonly searcher: string;
  readonly block_number: string;
  readonly block_hash: string | null;
  readonly block_timestamp: string | null;
  readonly log_index: number;
  readonly protocols: readonly string[];
  readonly pools: readonly string[];
  readonly frontrun_txs: readonly string[];
  readonly victim_txs: readonly string[];
  readonly backrun_txs: readonly string[];
  readonly profit_token: string | null;
  readonly profit_amount: string | null;
  readonly gas_cost: string | null;
  readonly fee_recipient_payment: string | null;
  readonly net_profit: string | null;
  readonly roi_percent: number | null;
  readonly net_usd: string | null;
  readonly user_address: string | null;
  readonly debt_token: string | null;
  readonly debt_amount: string | null;
  readonly collateral_token: string | null;
  readonly collateral_amount: string | null;
  readonly status: "provisional" | "confirmed";
  readonly confidence: string;
  readonly reason: string;
  readonly detected_at: string;
  readonly cursor: readonly string[];
}

const PLACE =
  "source, partition, offset, n, event_time, chain_id, block_number, block_hash, block_timestamp, transaction_index, tx_hash, tx_from, log_index, status, confidence, reason";
const PROFIT = "gas_cost, fee_recipient_payment, net_profit, roi_percent, net_usd";
/** By pattern: the table, and what its rows have of the columns that only some patterns have. */
const TABLES: Readonly<Record<Pattern, { readonly from: string; readonly columns: Readonly<Record<string, string>> }>> =
  {
    arbitrage: {
      from: "arbitrages WHERE definition = 'cycle'",
      columns: {
        ...own("route_protocols", "route_pools", "account"),
        profit_token: "toNullable(profit_token)",
        profit_amount: "profit_amount",
        ...same(PROFIT),
      },
    },
    sandwich: {
      from: "sandwiches",
      columns: {
        ...own("[protocol]", "[pool]", "sandwicher"),
        ...same("frontrun_txs, victim_txs, backrun_txs"),
        profit_token: "toNullable(profit_token)",
        profit_amount: "toNullable(profit_amount)",
        ...same(PROFIT),
      },
    },
    liquidation: {
      from: "liquidations",
      columns: {
        ...own("[protocol]", "[CAST(pool, 'String')]", "liquidator"),
        ...Object.fromEntries(
          ["user_address", "debt_token", "debt_amount", "collateral_token", "collateral_amount"].map(
            (name) => [name, `toNullable(${name})`],
          ),
        ),
      },
    },
    jit: { from: "jit_liquidity", columns: { ...own("[protocol]", "[pool]", "provider"), victim_txs: "swap_txs" } },
  }; // biome-ignore format: a pattern a few lines

function own(protocols: string, pools: string, searcher: string): Record<string, string> {
  return { protocols: `CAST(${protocols}, 'Array(String)')`, pools: `CAST(${pools}, 'Array(String)')`, searcher };
}
function same(names: string): Record<string, string> {
  return Object.fromEntries(names.split(", ").map((name) => [name, name]));
}

/** Columns that not all patterns have, with what the others have there. */
const WITHOUT: Readonly<Record<string, string>> = {
  frontrun_txs: "CAST([], 'Array(FixedString(32))')",
  victim_txs: "CAST([], 'Array(FixedString(32))')",
  backrun_txs: "CAST([], 'Array(FixedString(32))')",
  profit_token: "CAST(NULL, 'Nullable(FixedString(20))')",
  profit_amount: "CAST(NULL, 'Nullable(Int256)')",
  gas_cost: "CAST(NULL, 'Nullable(UInt256)')",
  fee_recipient_payment: "CAST(NULL, 'Nullable(UInt256)')",
  net_profit: "CAST(NULL, 'Nullable(Int256)')",
  roi_percent: "CAST(NULL, 'Nullable(Float64)')",
  net_usd: "CAST(NULL, 'Nullable(Decimal(38, 6))')",
  user_address: "CAST(NULL, 'Nullable(FixedString(20))')",
  debt_token: "CAST(NULL, 'Nullable(FixedString(20))')",
  debt_amount: "CAST(NULL, 'Nullable(UInt256)')",
  collateral_token: "CAST(NULL, 'Nullable(FixedString(20))')",
  collateral_amount: "CAST(NULL, 'Nullable(UInt256)')",
};

function select(pattern: Pattern): string {
  const { from, columns } = TABLES[pattern];
  const { protocols, pools, searcher } = columns;
  const rest = Object.entries(WITHOUT).map(([name, none]) => `${columns[name] ?? none} AS ${name}_`);
  return `SELECT '${pattern}' AS pattern, ${PLACE}, ${protocols} AS protocols_, ${pools} AS pools_, ${searcher} AS searcher_, ${rest.join(", ")} FROM ${from}`;
}

/** For listQuery and countQuery, with mevConditions. @param pattern all when absent */
export function mevList(pattern?: Pattern): ListSpec {
  const selects = PATTERNS.filter((each) => pattern === undefined || each === pattern).map(select);
  const bytes = ["searcher", "profit_token", "user_address", "debt_token", "collateral_token"];
  const allInHex = (name: string): string => `arrayMap(x -> ${hex("x")}, t.${name}_) AS ${name}`;
  const amounts = ["profit_amount", "gas_cost", "fee_recipient_payment", "net_profit", "net_usd", "debt_amount", "collateral_amount"]; // biome-ignore format: a row
  return {
    table: `(${selects.join("\n  UNION ALL ")})`,
    order: { time: "event_time", ties: { ...POSITION_TIES, log_index: "UInt32", pattern: "String" } },
    columns: [
      "bitShiftRight(sipHash64(t.source, t.partition, t.offset, t.n, t.log_index, t.pattern), 11) AS id",
      "t.pattern AS pattern_type",
      "t.protocols_ AS protocols",
      "t.roi_percent_ AS roi_percent",
      ...plain("source", "partition", "n", "log_index", "confidence", "reason"),
      ...plain("offset", "chain_id", "block_number", "block_timestamp"),
      ...["pools", "frontrun_txs", "victim_txs", "backrun_txs"].map(allInHex),
      ...amounts.map((name) => `t.${name}_ AS ${name}`),
      `if(t.status = 'provisional', t.status, ${blockStatus}) AS status`,
      "t.event_time AS detected_at",
    ],
    bytes: {
      ...named("tx_hash", "block_hash"),
      from_address: "t.tx_from",
      ...Object.fromEntries(bytes.map((name) => [name, `t.${name}_`])),
    },
  };
}

export function mevConditions(filter: MevFilter): Condition[] {
  const { minProfit, address } = filter;
  return [
    ...commonConditions(filter, "event_time"),
    { sql: NOT_REPLACED },
    ...(minProfit === undefined ? [] : [{ sql: "toFloat64(t.net_profit_) / 1e18 >= {min_profit:Float64}", params: { min_profit: minProfit } }]), // biome-ignore format: a filter a line
    ...(address === undefined ? [] : [{ sql: "t.searcher_ = unhex({address:String}) OR t.tx_from = unhex({address:String})", params: { address: address.slice(2) } }]), // biome-ignore format: a filter a line
  ];
}

const NOT_REPLACED = `NOT ${isReplacedIn("t")}`;

/** One pattern on one chain. Counts and amounts as decimal text. */
export interface MevSummaryRow {
  readonly chain_id: string;
  readonly pattern_type: Pattern;
  readonly count: string;
  readonly searchers: string;
  readonly victims: string;
  readonly priced_native: string;
  readonly net_profit: string;
  readonly priced_usd: string;
  readonly net_usd: string;
  readonly max_net_usd: string | null;
}

/**
 * What came of it, by the time of the block. Findings of one transaction share its gas and payments, so those are taken off once: `count` counts
 * transactions (of a sandwich its first frontrun), and what came in twice once. Profits that are not known are in no sum.
 */
export function mevSummaryQuery({ chainId, since, until }: CommonFilter): Query {
  const time = "ifNull(toDateTime64(t.block_timestamp, 6, 'UTC'), t.event_time)";
  const conditions: Condition[] = [
    ...commonConditions({ chainId }, "event_time"),
    { sql: NOT_REPLACED },
    ...(since ? [{ sql: `${time} >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`, params: { since: since.getTime() } }] : []), // biome-ignore format: a filter a line
    ...(until ? [{ sql: `${time} < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`, params: { until: until.getTime() } }] : []), // biome-ignore format: a filter a line
  ];
  const finding = "chain_id, pattern, block_number, block_hash, tx_hash, log_index, pools_";
  const costs = "gas_ + ifNull(paid_, 0)";
  const none = "CAST(NULL, 'Nullable(Decimal(38, 6))')";
  /** Of an arbitrage, what its transaction is said to have made stands beside it, as statistics count it. */
  const more: Readonly<Record<Pattern, string>> = {
    arbitrage: `${none} AS gross_usd_, tx_net_usd AS tx_net_usd_`,
    sandwich: `gross_usd AS gross_usd_, ${none} AS tx_net_usd_`,
    liquidation: `${none} AS gross_usd_, ${none} AS tx_net_usd_`,
    jit: `${none} AS gross_usd_, ${none} AS tx_net_usd_`,
  };
  const selects = PATTERNS.map((pattern) => select(pattern).replace(" FROM ", `, ${more[pattern]} FROM `));
  return {
    sql: `SELECT toString(chain_id) AS chain_id, pattern AS pattern_type, toString(count()) AS count, toString(uniqExact(who)) AS searchers,
  toString(length(groupUniqArrayArray(victims))) AS victims, toString(count(native)) AS priced_native, toString(sum(ifNull(native, 0))) AS net_profit,
  toString(count(usd)) AS priced_usd, toString(sum(ifNull(usd, toDecimal128(0, 6)))) AS net_usd, toString(max(usd)) AS max_net_usd
FROM (
  SELECT chain_id, pattern, any(searcher) AS who, groupUniqArrayArray(victims_) AS victims,
    if(countIf(net_ IS NULL) > 0, NULL, sum(net_ + ${costs}) - any(${costs})) AS native,
    multiIf(pattern = 'arbitrage', any(whole_), countIf(usd_ IS NULL OR gross_ IS NULL) > 0, NULL, sum(gross_) - argMin(gross_ - usd_, log_index)) AS usd
  FROM (
    SELECT ${finding}, any(t.searcher_) AS searcher, any(t.victim_txs_) AS victims_, any(toInt256(t.gas_cost_)) AS gas_,
      any(toInt256(t.fee_recipient_payment_)) AS paid_, any(t.net_profit_) AS net_, any(t.net_usd_) AS usd_, any(t.gross_usd_) AS gross_,
      any(t.tx_net_usd_) AS whole_
    FROM (${selects.join("\n    UNION ALL ")}) AS t${where(conditions)}
    GROUP BY ${finding}
  )
  GROUP BY chain_id, pattern, block_number, block_hash, tx_hash
)
GROUP BY chain_id, pattern
ORDER BY chain_id, indexOf(['${PATTERNS.join("', '")}'], pattern)`,
    params: paramsOf(conditions),
  };
}
