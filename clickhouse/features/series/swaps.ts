import type { Series } from "../events.ts";
import { FIRST_OF_TX, trades } from "../rows.ts";

/** A return after a pause as long is none: so an hour of them is known from two hours of swaps, wherever a query begins. */
const PAUSE = 3_600;
const LOOKBACK = 2 * 3_600;

const COLUMNS =
  "block, log_index AS ord, tx, t, pool_id, protocol, trader, sells0, paid, price, depth0, liquidity_now, amount0, amount1, toFloat64(amount0) AS size";

const events = (key: string): string =>
  `SELECT ${COLUMNS}, ${key} AS k, ${FIRST_OF_TX} AS subject FROM (${trades(LOOKBACK)})`;

export const poolSeries: Series = {
  about: "swaps of the pool of the transaction's first swap",
  tables: ["swaps"],
  events: events("pool_id"),
  steps: {
    gap: "t - lagInFrame(t, 1, toUInt32(0)) OVER one_before",
    stepped: `gap < ${PAUSE}`,
    step: "if(stepped, price - lagInFrame(price) OVER one_before, 0)",
  },
  measures: {
    swaps: "toInt64(1)",
    returns: "toInt64(stepped)",
    step: "toInt64(step)",
    step2: "toInt128(step) * toInt128(step)",
    step3: "toInt256(step) * toInt256(step) * toInt256(step)",
    distance: "toInt64(abs(step))",
    rises: "toInt64(step > 0)",
    falls: "toInt64(step < 0)",
    amount0: "toInt256(amount0)",
    amount1: "toInt256(amount1)",
    bought0: "if(sells0, toInt256(0), toInt256(amount0))",
    buys: "toInt64(NOT sells0)",
  },
  derived: {
    before: "if(length(@last(price, 1)) > 0, @last(price, 1)[1], NULL)",
    closes: "@last(price, 20)",
    closes_mean: "if(length(closes) = 20, arrayAvg(closes), NULL)",
    closes_deviation: "if(length(closes) = 20, arrayReduce('stddevPop', closes), NULL)",
    changes: "arrayMap(x -> toFloat64(x), arrayPopFront(arrayDifference(closes)))",
    centred: "if(length(closes) = 20, arrayMap(x -> x - arrayAvg(changes), changes), [])",
    sizes: "@last(size, 50)",
    sides: "@last(sells0, 20)",
    traders: "@last(trader, 50)",
  },
};

export const pairSeries: Series = {
  about:
    "swaps of the same two tokens as the transaction's first, in any pool; the coin and its wrapped form are one token",
  tables: ["swaps"],
  events: events("concat(token0, token1)"),
  measures: { swaps: "toInt64(1)" },
  derived: {
    pools: "@last(pool_id, 32)",
    prices: "@last(price, 32)",
    protocols: "@last(protocol, 32)",
    back: "arrayReverse(pools)",
    latest: "arrayFilter((p, u) -> u = 1, arrayReverse(prices), arrayEnumerateUniq(back))",
    elsewhere: "arrayFilter((p, u, x) -> u = 1 AND x != pool_id, arrayReverse(prices), arrayEnumerateUniq(back), back)",
    here: "arrayFilter((p, x) -> x = pool_id, prices, pools)[-1]",
  },
};

/** Each swap is an event of both its tokens: one that the pool sold, so somebody bought it, and one that somebody sold. */
export const tokenSeries: Series = {
  about: "swaps, with anything, of the token that the transaction's first swap buys",
  tables: ["swaps"],
  events: `SELECT block, 2 * toUInt64(log_index) + sold AS ord, tx, t, pool_id, trader, sold, if(sold, bought_by_pool, sold_by_pool) AS k, first AND NOT sold AS subject
FROM (SELECT *, ${FIRST_OF_TX} AS first, arrayJoin([0, 1]) AS sold FROM (${trades(LOOKBACK)}))`,
  measures: { swaps: "toInt64(1)", sales: "toInt64(sold)" },
  derived: { pools: "arrayUniq(@last(pool_id, 32))", traders: "arrayUniq(@last(trader, 32))" },
};
