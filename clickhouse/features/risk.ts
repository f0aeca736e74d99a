import { RISK, RISK_FACTORS } from "../../engine/chain/risk/factors.ts";
import type { FeatureGroup } from "./feature.ts";

/** Factors that are judged by the whole block, and so by what comes after the transaction. */
const LOOKS_AHEAD = RISK.gas_outlier | RISK.sandwich_exposure;

const riskPoints = RISK_FACTORS.map(({ points }, bit) => ({ points, bit }))
  .filter(({ bit }) => ((LOOKS_AHEAD >> bit) & 1) === 0)
  .map(({ points, bit }) => `${points} * bitTest(risk_factors, ${bit})`)
  .join(" + ");

/** Who else is there, and what may go wrong. What happened on the chain counts from the transaction after it on, a sandwich from the block after it on. */
export const RISK_FEATURES: FeatureGroup = [
  {
    name: "sandwich_probability",
    series: "poolHours",
    seed: "Sandwich attack probability",
    formula:
      "victims of sandwiches by swaps of the pool, in the 24 whole hours before the hour; NULL where there were no swaps",
    unit: "share",
    sql: "@sum(victims, 24h) / @sum(swaps, 24h)",
  },
  {
    name: "pool_sandwiches",
    series: "poolHours",
    formula: "sandwiches on the pool in the 24 whole hours before the hour; NULL where there were no swaps",
    unit: "sandwiches",
    sql: "if(@sum(swaps, 24h) > 0, @sum(sandwiches, 24h), NULL)",
  },
  {
    name: "pool_arbitrages",
    series: "poolHours",
    seed: "MEV competition metrics",
    formula: "arbitrages through the pool in the 24 whole hours before the hour; NULL where there were no swaps",
    unit: "arbitrages",
    sql: "if(@sum(swaps, 24h) > 0, @sum(arbitrages, 24h), NULL)",
  },
  {
    name: "impermanent_loss",
    series: "pool",
    windows: ["5m", "1h"],
    seed: "Impermanent loss estimation",
    formula:
      "what liquidity lost against holding both tokens: 1 - 2 x root(r) / (1 + r), with r the ratio of the prices, by constant product",
    unit: "share",
    sql: "if(@sum(returns) > 0, 1 - 2 * sqrt(exp(@sum(step) / 1e9)) / (1 + exp(@sum(step) / 1e9)), NULL)",
  },
  {
    name: "token_risk_score",
    series: "token",
    seed: "Token risk scores",
    formula:
      "mean of: 1 - 2 x share of sales, at least 0, of an hour (a token nobody sells may not let them); 1 / pools; 1 / senders, of the last 32 swaps; NULL without swaps",
    unit: "0 to 1",
    sql: "(greatest(0, 1 - 2 * @sum(sales, 1h) / @sum(swaps, 1h)) + 1 / pools + 1 / traders) / 3",
  },
  {
    name: "token_sale_share",
    series: "token",
    windows: ["5m", "1h"],
    formula: "swaps that sold the token by all of it",
    unit: "share",
    sql: "@sum(sales) / @sum(swaps)",
  },
  {
    name: "token_traders",
    series: "token",
    formula: "senders among the token's last 32 swaps",
    unit: "senders",
    sql: "traders",
  },
  {
    name: "mev_competition",
    series: "mev",
    windows: ["5m", "1h"],
    seed: "MEV competition metrics",
    formula: "arbitrages, sandwiches and failed attempts",
    unit: "findings",
    sql: "@sum(arbitrages) + @sum(sandwiches) + @sum(attempts)",
  },
  {
    name: "arbitrages",
    series: "mev",
    windows: ["1m", "5m", "1h"],
    seed: "MEV competition metrics",
    formula: "arbitrages that are a cycle",
    unit: "arbitrages",
    sql: "@sum(arbitrages)",
  },
  {
    name: "attempt_share",
    series: "mev",
    windows: ["1h"],
    seed: "MEV competition metrics",
    formula: "failed attempts by these and arbitrages",
    unit: "share",
    sql: "@sum(attempts) / (@sum(attempts) + @sum(arbitrages))",
  },
  {
    name: "sandwiches",
    series: "mev",
    windows: ["5m", "1h"],
    formula: "sandwiches",
    unit: "sandwiches",
    sql: "@sum(sandwiches)",
  },
  {
    name: "liquidations",
    series: "mev",
    windows: ["1h"],
    formula: "liquidations",
    unit: "liquidations",
    sql: "@sum(liquidations)",
  },
  {
    name: "sender_transactions",
    series: "sender",
    windows: ["5m", "1h"],
    formula: "transactions of the sender before",
    unit: "transactions",
    sql: "@sum(transactions)",
  },
  {
    name: "sender_failure_rate",
    series: "sender",
    windows: ["1h"],
    formula: "reverted transactions of the sender by those of which it is known",
    unit: "share",
    sql: "@sum(failed) / @sum(known)",
  },
  {
    name: "sender_idle",
    series: "sender",
    formula: "time since the sender's transaction before, of an hour at most",
    unit: "s",
    sql: "if(length(times) > 0, t - times[1], NULL)",
  },
  {
    name: "recipient_transactions",
    series: "recipient",
    windows: ["5m", "1h"],
    formula: "transactions to the recipient before",
    unit: "transactions",
    sql: "@sum(transactions)",
  },
  {
    name: "recipient_failure_rate",
    series: "recipient",
    windows: ["1h"],
    formula: "reverted transactions to the recipient by those of which it is known",
    unit: "share",
    sql: "@sum(failed) / @sum(known)",
  },
  {
    name: "recipient_senders",
    series: "recipient",
    formula: "senders among the last 32 transactions to the recipient",
    unit: "senders",
    sql: "arrayUniq(@last(from_address, 32))",
  },
  {
    name: "price_bid",
    series: "recipient",
    formula: "price paid by the highest of the last 32 transactions to the recipient, less 1: who bids over the others",
    unit: "ratio",
    sql: "price / arrayMax(arrayFilter(x -> x IS NOT NULL, @last(price, 32))) - 1",
  },
  {
    name: "risk_score",
    series: "chain",
    formula: "points of the transaction's risk factors, but those that are judged by its whole block, 100 at most",
    unit: "0 to 100",
    sql: `if(risk IS NULL, NULL, least(100, ${riskPoints}))`,
  },
  {
    name: "pool_swaps_in_block",
    series: "pool",
    formula: "swaps of the pool before in the same block, of 50 at most",
    unit: "swaps",
    sql: "countEqual(@last(block, 50), block)",
  },
  {
    name: "same_side_in_block",
    series: "pool",
    formula: "of these those that went the way of the transaction's first swap: what a frontrun would be",
    unit: "swaps",
    sql: "arrayCount((b, s) -> b = block AND s = sells0, @last(block, 50), @last(sells0, 50))",
  },
  {
    name: "is_arbitrage",
    series: "chain",
    formula: "1 where the transaction is an arbitrage that is a cycle",
    unit: "0 or 1",
    sql: "if(status IS NULL, NULL, routes > 0)",
  },
  {
    name: "arbitrage_hops",
    series: "chain",
    formula: "swaps of its longest route; NULL where it is none",
    unit: "swaps",
    sql: "if(routes > 0, hops, NULL)",
  },
  {
    name: "arbitrage_return",
    series: "chain",
    formula: "profit by what was put in, before gas, of its best route; NULL where it is none",
    unit: "ratio",
    sql: "if(routes > 0, gain, NULL)",
  },
  {
    name: "creates_contract",
    series: "chain",
    formula: "1 where the transaction creates a contract",
    unit: "0 or 1",
    sql: "creates",
  },
];
