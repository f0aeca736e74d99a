-- Base fee in gwei, and how full blocks were, by hour.
SELECT
    chain_id,
    toStartOfHour(time) AS hour,
    count() AS blocks,
    round(min(base) / 1e9, 3) AS lowest,
    round(avg(base) / 1e9, 3) AS mean,
    round(max(base) / 1e9, 3) AS highest,
    round(avg(used / most), 3) AS fullness
FROM
(
    SELECT chain_id, block_hash, any(block_timestamp) AS time, toFloat64(any(base_fee_per_gas)) AS base, any(block_gas_used) AS used, any(block_gas_limit) AS most
    FROM transactions
    WHERE block_number IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    GROUP BY chain_id, block_hash
)
GROUP BY chain_id, hour
ORDER BY chain_id, hour
