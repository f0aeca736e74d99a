-- Who adds liquidity for the length of others' swaps, and to how many of these.
SELECT
    chain_id,
    provider,
    count() AS positions,
    uniqExact(pool) AS pools,
    sum(length(swap_txs)) AS swaps_served
FROM jit_liquidity
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, provider
ORDER BY positions DESC, provider
LIMIT 20
