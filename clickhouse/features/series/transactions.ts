import type { Series } from "../events.ts";
import { ASKED, found, mined, TIME, trades } from "../rows.ts";

const LOOKBACK = 3_600;
/** How long before its block a sighting counts. */
const DAY = 86_400;

const OWN = `assumeNotNull(block_number) AS block, assumeNotNull(transaction_index) AS ord, ord AS tx, ${TIME} AS t, ${ASKED} AS subject, hash, from_address, to_address,
  gas, gas_used, value, length(input) AS bytes, length(log_address) AS logs, type, status, nonce, length(access_address) AS access,
  effective_gas_price AS price_wei, if(price_wei >= base_fee_per_gas, price_wei - base_fee_per_gas, NULL) AS tip_wei,
  toFloat64(base_fee_per_gas) AS base, toFloat64(price_wei) AS price, toFloat64(tip_wei) AS tip,
  cumulative_gas_used - gas_used AS gas_before, block_gas_limit, block_miner, to_address IS NULL AS creates, risk, risk_factors, seen_at,
  if(bytes >= 4, concat('0x', lower(hex(substring(input, 1, 4)))), NULL) AS selector`;

const PENDING = "(SELECT hash, min(ifNull(seen_at, event_time)) AS seen FROM transactions WHERE";

/** First sightings of the transactions at hand; of those of a later time than their block nothing was known then. */
const SIGHTINGS = `${PENDING} chain_id = {chain:UInt64} AND (block_number IS NULL OR seen_at IS NOT NULL)
    AND event_time > toDateTime64({from:Int64} - ${LOOKBACK + DAY}, 0, 'UTC') AND event_time <= toDateTime64({to:Int64}, 6, 'UTC')
    AND hash IN (SELECT hash FROM (${mined("hash", LOOKBACK)}))
  GROUP BY hash)`;

export const chainSeries: Series = {
  about: "transactions of the chain",
  tables: ["transactions", "swaps", "arbitrages"],
  events: `SELECT *, '' AS k, toInt64(toUnixTimestamp64Micro(seen)) AS seen_micro,
  seen_micro > 1e6 * (toInt64(t) - ${DAY}) AND seen_micro <= 1e6 * toInt64(t) AS was_seen
FROM (SELECT ${OWN} FROM (${mined("*", LOOKBACK)})) AS own
LEFT JOIN ${SIGHTINGS} AS sightings USING (hash)
LEFT JOIN (SELECT block, tx, count() AS swaps, uniqExact(pool) AS pools FROM (${trades(LOOKBACK)}) GROUP BY block, tx) AS swapped USING (block, tx)
LEFT JOIN (SELECT assumeNotNull(block_number) AS block, assumeNotNull(transaction_index) AS tx, count() AS routes, max(length(route_pools)) AS hops,
    max(toFloat64(profit_amount) / toFloat64(start_amount)) AS gain
  FROM (${found("arbitrages", "*", LOOKBACK, "definition = 'cycle' AND start_amount > 0")}) GROUP BY block, tx) AS cycles USING (block, tx)`,
  measures: {
    transactions: "toInt64(1)",
    known: "toInt64(status IS NOT NULL)",
    failed: "toInt64(ifNull(status = 0, 0))",
    priced: "toInt64(price_wei IS NOT NULL)",
    price: "toInt256(ifNull(price_wei, 0))",
    tipped: "toInt64(tip_wei IS NOT NULL)",
    tip: "toInt256(ifNull(tip_wei, 0))",
    plain: "toInt64(bytes = 0 AND NOT creates)",
    creations: "toInt64(creates)",
    swapping: "toInt64(swaps > 0)",
    bytes: "toInt64(bytes)",
    value: "toInt256(value)",
    seen: "toInt64(was_seen)",
  },
  derived: { tips: "arrayFilter(x -> x IS NOT NULL, @last(tip, 100))" },
};

export const blockSeries: Series = {
  about: "blocks of the chain",
  tables: ["transactions"],
  events: `SELECT assumeNotNull(block_number) AS block, 0 AS ord, 0 AS tx, any(${TIME}) AS t, any(${ASKED}) AS subject, '' AS k, any(base_fee_per_gas) AS base_wei, toFloat64(base_wei) AS base,
  any(block_gas_used) AS used, any(block_gas_limit) AS most
FROM (${mined("block_number, block_timestamp, base_fee_per_gas, block_gas_used, block_gas_limit", LOOKBACK)}) GROUP BY block`,
  measures: {
    blocks: "toInt64(1)",
    based: "toInt64(base_wei IS NOT NULL)",
    base: "toInt256(ifNull(base_wei, 0))",
    used: "toInt64(if(used IS NULL OR most IS NULL, 0, used))",
    most: "toInt64(if(used IS NULL OR most IS NULL, 0, most))",
  },
  derived: {
    bases: "arrayMap(x -> log(x), arrayFilter(x -> x > 0, @last(base, 20)))",
    times: "@last(t, 20)",
    intervals: "arrayPopFront(arrayDifference(arrayMap(x -> toInt64(x), times)))",
    fullness:
      "arrayFilter(x -> x IS NOT NULL, arrayMap((u, m) -> toFloat64(u) / toFloat64(m), @last(used, 20), @last(most, 20)))",
  },
};

const party = (address: string, about: string): Series => ({
  about,
  tables: ["transactions"],
  events: `SELECT assumeNotNull(block_number) AS block, assumeNotNull(transaction_index) AS ord, ord AS tx, ${TIME} AS t, ${ASKED} AS subject, ${address} AS k, from_address, to_address,
  status, nonce, toFloat64(effective_gas_price) AS price
FROM (${mined("block_number, transaction_index, block_timestamp, from_address, to_address, status, nonce, effective_gas_price", LOOKBACK)})
WHERE k IS NOT NULL`,
  measures: {
    transactions: "toInt64(1)",
    known: "toInt64(status IS NOT NULL)",
    failed: "toInt64(ifNull(status = 0, 0))",
  },
  derived: { times: "@last(t, 1)" },
});

export const senderSeries = party("from_address", "transactions of the same sender");
export const recipientSeries = party("to_address", "transactions to the same recipient; a contract creation has none");
