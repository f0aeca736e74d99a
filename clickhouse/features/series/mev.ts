import type { Series } from "../events.ts";
import { ASKED, FIRST_OF_TX, found, mined, TIME, trades } from "../rows.ts";

const LOOKBACK = 3_600;
/** Two days of whole hours, and the one that has begun. */
const HOURS_LOOKBACK = 49 * 3_600;

/** Places in a block: 33 bits for what happens within a transaction, whose own row is at 0, so that none sees what it did itself. */
const atLog = (log: string): string => `bitShiftLeft(toUInt64(assumeNotNull(transaction_index)), 33) + 1 + ${log}`;
/** What is known once the whole block is: behind its last transaction. */
const AT_END = "bitShiftLeft(toUInt64(1), 63) + log_index";

const happened = (kind: number, table: string, ord: string, condition?: string): string =>
  `SELECT block_number AS block, ${ord} AS ord, ${TIME} AS t, ${kind} AS kind, 0 AS tx, 0 AS subject FROM (${found(table, "*", LOOKBACK, condition)})`;

export const mevSeries: Series = {
  about:
    "arbitrages, sandwiches, liquidations and failed attempts on the chain; a sandwich is known from the next block on",
  tables: ["transactions", "arbitrages", "sandwiches", "liquidations", "failed_attempts"],
  events: `SELECT *, '' AS k FROM (
SELECT assumeNotNull(block_number) AS block, bitShiftLeft(toUInt64(assumeNotNull(transaction_index)), 33) AS ord, ${TIME} AS t, 0 AS kind,
  assumeNotNull(transaction_index) AS tx, ${ASKED} AS subject
FROM (${mined("block_number, transaction_index, block_timestamp", 1)}) WHERE subject
UNION ALL ${happened(1, "arbitrages", atLog("log_index"), "definition = 'cycle'")}
UNION ALL ${happened(2, "sandwiches", AT_END)}
UNION ALL ${happened(3, "liquidations", atLog("log_index"))}
UNION ALL ${happened(4, "failed_attempts", atLog("0"))})`,
  measures: {
    arbitrages: "toInt64(kind = 1)",
    sandwiches: "toInt64(kind = 2)",
    liquidations: "toInt64(kind = 3)",
    attempts: "toInt64(kind = 4)",
  },
};

/** An hour is known from its end on. */
const HOUR_END = "toUInt32(toStartOfHour(toDateTime(t, 'UTC'))) + 3600";
const NONE = "0 AS swaps, toInt256(0) AS amount0, 0 AS sandwiches, 0 AS victims, 0 AS arbitrages";
const NO_SUBJECT = "toUInt64(0) AS block, toUInt64(0) AS ord, 0 AS tx, 0 AS subject";

export const poolHoursSeries: Series = {
  about: "whole hours of the pool of the transaction's first swap, up to the one before its own",
  tables: ["swaps", "sandwiches", "arbitrages"],
  events: `SELECT ${HOUR_END} AS t, pool AS k, ${NO_SUBJECT}, toInt64(count()) AS swaps, sum(toInt256(amount0)) AS amount0, 0 AS sandwiches, 0 AS victims,
  0 AS arbitrages
FROM (${trades(HOURS_LOOKBACK)}) GROUP BY t, k
UNION ALL SELECT ${HOUR_END} AS t, pool AS k, ${NO_SUBJECT}, 0 AS swaps, toInt256(0) AS amount0, count() AS sandwiches, sum(length(victim_txs)) AS victims,
  0 AS arbitrages
FROM (SELECT ${TIME} AS t, pool, victim_txs FROM (${found("sandwiches", "*", HOURS_LOOKBACK)})) GROUP BY t, k
UNION ALL SELECT ${HOUR_END} AS t, pool AS k, ${NO_SUBJECT}, 0 AS swaps, toInt256(0) AS amount0, 0 AS sandwiches, 0 AS victims, count() AS arbitrages
FROM (SELECT ${TIME} AS t, arrayJoin(arrayDistinct(route_pools)) AS pool
  FROM (${found("arbitrages", "*", HOURS_LOOKBACK, "definition = 'cycle'")})) GROUP BY t, k
UNION ALL SELECT toUInt32(toStartOfHour(toDateTime(t, 'UTC'))) AS t, pool AS k, block, toUInt64(1) AS ord, tx, 1 AS subject, ${NONE}
FROM (SELECT *, ${FIRST_OF_TX} AS first FROM (${trades(1)})) WHERE first`,
  measures: {
    swaps: "toInt64(swaps)",
    amount0: "toInt256(amount0)",
    sandwiches: "toInt64(sandwiches)",
    victims: "toInt64(victims)",
    arbitrages: "toInt64(arbitrages)",
  },
};
