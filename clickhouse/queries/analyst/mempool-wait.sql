-- How long transactions waited from their first sighting to their block, in seconds.
WITH seen AS
(
    SELECT chain_id, hash, min(ifNull(seen_at, event_time)) AS first
    FROM transactions
    WHERE block_number IS NULL OR seen_at IS NOT NULL
    GROUP BY chain_id, hash
)
SELECT
    chain_id,
    count() AS transactions,
    round(quantileExact(0.5)(wait), 1) AS median,
    round(quantileExact(0.95)(wait), 1) AS p95,
    round(max(wait), 1) AS longest
FROM
(
    SELECT chain_id, hash, toUnixTimestamp(any(block_timestamp)) - toUnixTimestamp64Micro(any(first)) / 1e6 AS wait
    FROM transactions
    INNER JOIN seen USING (chain_id, hash)
    WHERE block_number IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
    GROUP BY chain_id, hash
)
WHERE wait >= 0
GROUP BY chain_id
ORDER BY chain_id
