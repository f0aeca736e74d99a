-- How long arbitrage routes are, and what they return on what was put in, before gas, in percent.
SELECT
    chain_id,
    length(route_pools) AS hops,
    count() AS arbitrages,
    round(quantileExact(0.5)(100 * toFloat64(profit_amount) / toFloat64(start_amount)), 4) AS median_return,
    round(max(100 * toFloat64(profit_amount) / toFloat64(start_amount)), 4) AS best_return
FROM arbitrages
WHERE definition = 'cycle' AND start_amount > 0
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, hops
ORDER BY chain_id, hops
