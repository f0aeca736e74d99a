-- Pools whose price moved most from the end of one block of theirs to the end of the next, in percent.
SELECT
    chain_id,
    concat('0x', lower(hex(pool))) AS pool,
    any(protocol) AS protocol,
    count() AS blocks,
    round(max(abs(price0 / before - 1)) * 100, 3) AS largest_move,
    argMax(block_number, abs(price0 / before - 1)) AS block
FROM
(
    SELECT *, lagInFrame(toNullable(price0)) OVER (PARTITION BY chain_id, pool ORDER BY block_number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
    FROM pool_states
)
WHERE before > 0
GROUP BY chain_id, pool
ORDER BY largest_move DESC
LIMIT 20
