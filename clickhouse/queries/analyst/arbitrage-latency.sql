-- How close an arbitrage stands behind what it feeds on: transactions between it and the last swap of another transaction before it in the same block on one
-- of its pools. 1 is a backrun that was bundled, or bid for its place.
WITH
    routes AS
    (
        SELECT chain_id, block_hash, arrayJoin(arrayDistinct(route_pools)) AS pool, assumeNotNull(transaction_index) AS place, tx_hash
        FROM arbitrages
        WHERE definition = 'cycle' AND transaction_index IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    ),
    nearest AS
    (
        SELECT chain_id, tx_hash, min(place - s.place) AS distance
        FROM routes
        ASOF INNER JOIN (SELECT chain_id, block_hash, pool, assumeNotNull(transaction_index) AS place FROM swaps) AS s
            ON routes.chain_id = s.chain_id AND routes.block_hash = s.block_hash AND routes.pool = s.pool AND routes.place > s.place
        GROUP BY chain_id, tx_hash
    )
SELECT
    chain_id,
    count() AS arbitrages,
    countIf(distance = 1) AS directly_behind,
    quantileExact(0.5)(distance) AS median,
    quantileExact(0.95)(distance) AS p95
FROM nearest
GROUP BY chain_id
ORDER BY chain_id
