-- Pools through which most arbitrages go, beside all swaps in them: where prices drift apart.
WITH routes AS
(
    SELECT chain_id, arrayJoin(arrayDistinct(route_pools)) AS pool, count() AS arbitrages
    FROM arbitrages
    WHERE definition = 'cycle' AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    GROUP BY chain_id, pool
)
SELECT chain_id, concat('0x', lower(hex(pool))) AS pool_id, any(protocol) AS protocol, any(arbitrages) AS arbitrages, count() AS swaps
FROM swaps
INNER JOIN routes USING (chain_id, pool)
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, pool
ORDER BY arbitrages DESC, pool_id
LIMIT 20
