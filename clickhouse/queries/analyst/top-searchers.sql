-- Who earns most by arbitrage: the account that swapped, how many routes closed at a profit, and what was left in the chain's coin. A net profit is unknown
-- where a price or a payment is, so it counts only what is known of it.
SELECT
    chain_id,
    account,
    count() AS arbitrages,
    countIf(profit_amount > 0) AS at_a_profit,
    toFloat64(sum(net_profit)) / 1e18 AS net_coin,
    countIf(net_profit IS NULL) AS of_unknown_profit,
    round(avg(length(route_pools)), 2) AS mean_hops
FROM arbitrages
WHERE definition = 'cycle'
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, account
ORDER BY net_coin DESC NULLS LAST, arbitrages DESC
LIMIT 20
