-- Searchers' reverted transactions beside the arbitrages that they made: who bids, and how often in vain.
WITH made AS
(
    SELECT chain_id, searcher, count() AS arbitrages
    FROM (SELECT chain_id, arrayJoin([tx_from, account]) AS searcher FROM arbitrages WHERE definition = 'cycle' AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1))
    GROUP BY chain_id, searcher
)
SELECT chain_id, searcher, count() AS attempts, any(arbitrages) AS arbitrages, round(attempts / (attempts + arbitrages), 3) AS in_vain
FROM failed_attempts
LEFT JOIN made USING (chain_id, searcher)
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, searcher
ORDER BY attempts DESC, searcher
LIMIT 20
