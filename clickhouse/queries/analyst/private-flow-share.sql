-- Which part of what was mined nobody saw pending, by hour. Hours in which nothing at all was seen are left out: there nobody looked.
WITH seen AS
(
    SELECT DISTINCT chain_id, hash
    FROM transactions
    WHERE block_number IS NULL OR seen_at IS NOT NULL
)
SELECT
    chain_id,
    toStartOfHour(block_timestamp) AS hour,
    uniqExact(hash) AS mined,
    uniqExactIf(hash, (chain_id, hash) NOT IN seen) AS never_seen,
    round(never_seen / mined, 4) AS private_share
FROM transactions
WHERE block_number IS NOT NULL
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, hour
HAVING never_seen < mined
ORDER BY chain_id, hour
