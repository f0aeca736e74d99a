-- Pairs whose pools ended a block with prices furthest apart, in percent: what an arbitrage would have closed.
WITH last_prices AS
(
    SELECT chain_id, block_number, least(token_in, token_out) AS token0, greatest(token_in, token_out) AS token1, pool,
        argMax(toFloat64(if(token_in < token_out, amount_out, amount_in)) / toFloat64(if(token_in < token_out, amount_in, amount_out)), log_index) AS price
    FROM swaps
    WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    GROUP BY chain_id, block_number, token0, token1, pool
)
SELECT chain_id, block_number, token0, token1, count() AS pools, round(100 * (max(price) / min(price) - 1), 4) AS gap_percent
FROM last_prices
GROUP BY chain_id, block_number, token0, token1
HAVING pools > 1
ORDER BY gap_percent DESC, chain_id, block_number, token0, token1
LIMIT 20
