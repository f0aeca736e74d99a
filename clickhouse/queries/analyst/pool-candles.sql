-- Candles of five minutes of each chain's busiest pool: token1 by token0 in smallest units (token0 has the lower address), and what was moved of token0.
WITH busiest AS
(
    SELECT chain_id, pool
    FROM swaps
    WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    GROUP BY chain_id, pool
    ORDER BY count() DESC, pool
    LIMIT 1 BY chain_id
)
SELECT
    chain_id,
    concat('0x', lower(hex(pool))) AS pool_id,
    toStartOfFiveMinutes(assumeNotNull(block_timestamp)) AS start,
    argMin(price, (block_number, log_index)) AS open,
    max(price) AS high,
    min(price) AS low,
    argMax(price, (block_number, log_index)) AS close,
    sum(volume) AS volume,
    count() AS swaps
FROM
(
    SELECT chain_id, pool, block_number, log_index, block_timestamp,
        toFloat64(if(token_in < token_out, amount_in, amount_out)) AS volume,
        toFloat64(if(token_in < token_out, amount_out, amount_in)) / volume AS price
    FROM swaps
    WHERE block_timestamp IS NOT NULL AND (chain_id, pool) IN busiest AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
)
GROUP BY chain_id, pool, start
ORDER BY chain_id, start
