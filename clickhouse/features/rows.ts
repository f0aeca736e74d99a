/**
 * Stored rows as the series take them: of the chain and the blocks asked for and of some time before, each once however often it was
 * stored, none of a replaced block, and none whose place in the chain its source did not say.
 *
 * Parameters of every query: `chain`, `first` and `last` block, `from` and `to`, their times in Unix seconds, and `wrapped`, the hex of
 * the wrapped coin, or nothing.
 */

/** 1 for rows of the blocks whose transactions' features are asked for. */
export const ASKED = "block_number >= {first:UInt64}";

export const TIME = "toUnixTimestamp(assumeNotNull(block_timestamp))";

const at = (seconds: string): string => `toDateTime64(${seconds}, 0, 'UTC')`;

/** Written so that both indexes of migration 0022 help. Of `from` (exclusive) and `to`, SQL of Unix seconds. */
export const minedWithin = (from: string, to: string): string =>
  `block_timestamp > ${at(from)} AND ifNull(block_timestamp, toDateTime64(0, 0, 'UTC')) > ${at(from)} AND block_timestamp <= ${at(to)}`;

const standing = (lookback: number): string =>
  `chain_id = {chain:UInt64} AND block_number <= {last:UInt64}
    AND ${minedWithin(`{from:Int64} - ${lookback}`, "{to:Int64}")}
    AND transaction_index IS NOT NULL AND block_hash IS NOT NULL
    AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)`;

/** Mined transactions. @param lookback seconds before the first block */
export const mined = (columns: string, lookback: number): string =>
  `SELECT ${columns} FROM transactions
  WHERE ${standing(lookback)}
  ORDER BY block_number, transaction_index, block_hash, source, partition, offset, n
  LIMIT 1 BY block_number, transaction_index`;

/** Findings of a kind, without their repeats: one a log, of failed attempts, which left none, one a transaction. */
export const found = (table: string, columns: string, lookback: number, condition = "1"): string => {
  const place = table === "failed_attempts" ? "block_number, transaction_index" : "block_number, log_index";
  return `SELECT ${columns} FROM ${table}
  WHERE ${standing(lookback)} AND ${condition}
  ORDER BY ${place}, block_hash, source, partition, offset, n
  LIMIT 1 BY ${place}`;
};

/** The coin and its wrapped form are one token where the chain's wrapped coin is known. */
const coin = (token: string): string =>
  `if(lower(hex(${token})) = repeat('ee', 20) AND {wrapped:String} != '', toFixedString(unhex({wrapped:String}), 20), ${token})`;
/** As pools order their tokens: the coin is address 0 to Uniswap V4. */
const placeOf = (token: string): string =>
  `if(lower(hex(${token})) = repeat('ee', 20), toFixedString(unhex(repeat('00', 20)), 20), ${token})`;

/**
 * Swaps as trades of a pair: token0 is the one of the lower address. Prices are token1 by token0 in smallest units, `paid` as the swap paid, `price`
 * where it left the pool, as far as its log says, else as paid; both as billionths of the natural logarithm, since sums of integers are exact.
 * `depth0` is the pool's reserve of token0 afterwards, of concentrated liquidity the virtual one; `liquidity` is the root of the product of both.
 */
export const trades = (
  lookback: number,
): string => `SELECT block_number AS block, log_index, assumeNotNull(transaction_index) AS tx, ${TIME} AS t,
  pool, cityHash64(pool) AS pool_id, protocol, cityHash64(tx_from) AS trader, ${ASKED} AS asked,
  ${coin("token_in")} AS bought_by_pool, ${coin("token_out")} AS sold_by_pool,
  bought_by_pool < sold_by_pool AS sells0,
  if(sells0, bought_by_pool, sold_by_pool) AS token0, if(sells0, sold_by_pool, bought_by_pool) AS token1,
  if(sells0, amount_in, amount_out) AS amount0, if(sells0, amount_out, amount_in) AS amount1,
  (${placeOf("token_in")} < ${placeOf("token_out")}) != sells0 AS turned,
  log(toFloat64(amount1)) - log(toFloat64(amount0)) AS paid_log,
  protocol = 'uniswap_v2' AND reserve0 > 0 AND reserve1 > 0 AS has_reserves,
  sqrt_price_x96 > 0 AND liquidity > 0 AS has_root,
  multiIf(has_reserves, log(toFloat64(reserve1)) - log(toFloat64(reserve0)),
    has_root, 2 * (log(toFloat64(sqrt_price_x96)) - 96 * log(2)), NULL) AS state_log,
  toInt64(round(1e9 * paid_log)) AS paid,
  toInt64(round(1e9 * ifNull(if(turned, -state_log, state_log), paid_log))) AS price,
  multiIf(has_reserves, sqrt(toFloat64(reserve0)) * sqrt(toFloat64(reserve1)), has_root, toFloat64(liquidity), NULL) AS liquidity_now,
  liquidity_now * exp(-price / 2e9) AS depth0
FROM (${found("swaps", "*", lookback, "amount_in > 0 AND amount_out > 0 AND token_in != token_out")})`;

/** The first swap of each transaction asked for is the one that its features are about. */
export const FIRST_OF_TX = "asked AND log_index = min(log_index) OVER (PARTITION BY block, tx)";
