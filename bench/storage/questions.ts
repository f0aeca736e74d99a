/** What the API asks the store for its routes, as the routes ask it: each with what it may read at most. */
import { READ_SETTINGS, readPage } from "../../api/list.ts";
import { openStatistics } from "../../api/statistics/open.ts";
import type { Store } from "../../clickhouse/client.ts";
import { ALERTS, alertConditions } from "../../clickhouse/queries/alerts.ts";
import {
  ARBITRAGE_TRANSACTIONS,
  arbitragesOfQuery,
  arbitrageTransactionConditions,
} from "../../clickhouse/queries/arbitrageTransactions.ts";
import { rankedQuery } from "../../clickhouse/queries/arbitrageurs.ts";
import { DEAD_LETTERS, deadLetterConditions } from "../../clickhouse/queries/deadLetters.ts";
import { gasBlocksQuery } from "../../clickhouse/queries/gas.ts";
import { closedHours } from "../../clickhouse/queries/hours.ts";
import { countQuery, listQuery } from "../../clickhouse/queries/list.ts";
import { OPPORTUNITIES, opportunityConditions, opportunityList } from "../../clickhouse/queries/opportunities.ts";
import { figuresQuery } from "../../clickhouse/queries/stats.ts";
import { TRANSACTIONS, transactionConditions } from "../../clickhouse/queries/transactions.ts";
import type { CommonFilter, Condition, ListSpec, Query } from "../../clickhouse/queries/types.ts";
import type { TableName } from "../../engine/worker/outcome.ts";

export interface Question {
  readonly name: string;
  readonly kind: "list" | "roll-up";
  /** As a route does. */
  readonly ask: () => Promise<unknown>;
  /** What is asked by somebody who knows of nothing. */
  readonly query: Query;
  /** Its biggest table, and the part of it that may be read beside some granules of each of its parts: a list needs its page, not the history. */
  readonly table: TableName;
  readonly share: number;
}

/** What a page needs, and what Bloom filters let through beside it. */
const PAGE = 0.05;
/** A filter that no index knows: the one column that is filtered by, until there are enough. */
const COLUMN = 1;

export async function questionsOf(store: Store): Promise<Question[]> {
  const [known] = await store.rows<Record<"hash" | "often" | "once" | "height" | "middle", string>>(
    `SELECT concat('0x', lower(hex(any(hash)))) AS hash, toString(any(block_number)) AS height, toString(any(event_time)) AS middle,
       concat('0x', lower(hex(topK(1)(from_address)[1]))) AS often,
       concat('0x', lower(hex(anyIf(from_address, reinterpretAsUInt8(substring(from_address, 20)) % 2 = 1)))) AS once
     FROM (SELECT * FROM transactions WHERE chain_id = 1 AND event_time >= (SELECT min(event_time) + toIntervalSecond(dateDiff('second', min(event_time), max(event_time)) / 2) FROM transactions) LIMIT 20000)`,
  );
  const { hash, often, once, height, middle } = known!;
  const page = { limit: 100, offset: 0 };
  const since = new Date(`${middle.replace(" ", "T")}Z`);
  const day = { since, until: new Date(since.getTime() + 86_400_000) };
  const lists: readonly (readonly [name: string, table: TableName, asked: Asked | Query, share?: number])[] = [
    ...(
      [
        ["newest", {}],
        ["of a chain", { chainId: 1 }],
        ["of a day", day],
        ["of a busy sender", { from: often }, COLUMN],
        ["of a sender", { from: once }],
        ["by hash", { hash }],
        ["of a block", { chainId: 1, blockNumber: Number(height) }],
        ["failed", { status: 0 }, COLUMN],
        ["of high risk", { minRisk: 60 }, COLUMN],
      ] as const
    ).flatMap(([name, filter, share]) => {
      const conditions = transactionConditions(filter);
      return [
        [`transactions ${name}`, "transactions", { list: TRANSACTIONS, conditions }, share] as const,
        [`transactions ${name}: how many`, "transactions", countQuery(TRANSACTIONS, conditions), share] as const,
      ];
    }),
    ["arbitrages newest", "arbitrages", { list: ARBITRAGE_TRANSACTIONS, conditions: arbitrageTransactionConditions({}, {}) }, COLUMN],
    ["arbitrages with a profit", "arbitrages", { list: ARBITRAGE_TRANSACTIONS, conditions: arbitrageTransactionConditions({}, { minProfit: 100 }) }, COLUMN],
    ["arbitrages of a block", "arbitrages", arbitragesOfQuery([[1, Number(height)]], [hash.slice(2)], "cycle")],
    ["alerts newest", "alerts", { list: ALERTS, conditions: alertConditions({}) }],
    ["alerts newest: how many", "alerts", countQuery(ALERTS, alertConditions({}))],
    ["alerts of a rule", "alerts", { list: ALERTS, conditions: alertConditions({ rule: "whale-transfer" }) }, COLUMN],
    ["alerts of an address", "alerts", { list: ALERTS, conditions: alertConditions({ address: often }) }],
    ["dead letters newest", "dead_letters", { list: DEAD_LETTERS, conditions: deadLetterConditions({}) }],
    ["opportunities newest", "opportunities", { list: OPPORTUNITIES, conditions: opportunityConditions({}) }, COLUMN],
    ["opportunities newest: how many", "opportunities", countQuery(OPPORTUNITIES, opportunityConditions({})), COLUMN],
    ["opportunities with a profit", "opportunities", { list: OPPORTUNITIES, conditions: opportunityConditions({ minProfit: 1 }) }, COLUMN],
    ["opportunities that were captured", "opportunities", { list: opportunityList({ captured: true }), conditions: opportunityConditions({ captured: true }) }, COLUMN],
    ["gas: the last 20 blocks", "gas_blocks", gasBlocksQuery(1, 20)],
  ]; // biome-ignore format: a question a line
  const { statistics } = openStatistics({ store, config: { cache: { freshMs: 1_000 } } });
  const ranking = { sortBy: "total_profit_usd", descending: true, minTransactions: 0 } as const;
  /** Nobody asked for these before. */
  let asked = 0;
  const other = () => ({ since: new Date(Date.UTC(2023, 11, 31) - 3_600_000 * ++asked) });
  const closed = (filter: CommonFilter) => closedHours(filter, "cycle", []);
  const [figures, ranked] = [figuresQuery(closed({}), "hour"), rankedQuery(closed({}), ranking, 100)];
  const rollUps: readonly (readonly [name: string, query: Query, ask: () => Promise<unknown>])[] = [
    ["statistics by hour", figures, () => statistics.periods({}, "hour", "cycle")],
    ["statistics by day", figures, () => statistics.periods({}, "day", "cycle")],
    ["statistics by hour, another period each time", figures, () => statistics.periods(other(), "hour", "cycle")],
    ["leaderboard", ranked, () => statistics.leaders({}, "cycle", ranking, page)],
    ["leaderboard, another period each time", ranked, () => statistics.leaders(other(), "cycle", ranking, page)],
  ]; // biome-ignore format: a question a line
  const plain = (query: Query) => ({ query, ask: () => store.rows(query.sql, { ...query.params }, READ_SETTINGS) });
  const listed = ({ list, conditions }: Asked) => ({
    query: listQuery(list, conditions, page),
    ask: () => readPage(store, list, conditions, page),
  });
  return [
    ...lists.map(([name, table, asked, share = PAGE]) => ({ name, kind: "list" as const, ...("list" in asked ? listed(asked) : plain(asked)), table, share })),
    ...rollUps.map(([name, query, ask]) => ({ name, kind: "roll-up" as const, query, ask, table: "arbitrages" as const, share: PAGE })),
  ]; // biome-ignore format: two kinds
}

interface Asked {
  readonly list: ListSpec;
  readonly conditions: readonly Condition[];
}
