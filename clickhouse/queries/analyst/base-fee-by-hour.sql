-- Base fee in gwei, what was burnt in the chain's coin, and how full blocks were, by hour.
SELECT
    chain_id,
    toStartOfHour(block_timestamp) AS hour,
    count() AS blocks,
    round(min(base_fee_per_gas) / 1e9, 3) AS lowest,
    round(avg(base_fee_per_gas) / 1e9, 3) AS mean,
    round(max(base_fee_per_gas) / 1e9, 3) AS highest,
    round(sum(toFloat64(burnt)) / 1e18, 3) AS burnt_coin,
    round(avg(gas_used / gas_limit), 3) AS fullness
FROM
(
    SELECT * FROM gas_blocks
    WHERE (chain_id, block_hash) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    ORDER BY chain_id, block_number LIMIT 1 BY chain_id, block_hash
)
GROUP BY chain_id, hour
ORDER BY chain_id, hour
