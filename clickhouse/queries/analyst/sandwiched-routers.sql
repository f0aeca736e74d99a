-- Through which contracts victims of sandwiches traded: whose users need protection.
WITH victims AS
(
    SELECT DISTINCT chain_id, arrayJoin(victim_txs) AS hash
    FROM sandwiches
    WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
)
SELECT chain_id, to_address AS router, uniqExact(hash) AS victims, uniqExact(from_address) AS senders
FROM transactions
INNER JOIN victims USING (chain_id, hash)
WHERE block_number IS NOT NULL
GROUP BY chain_id, router
ORDER BY victims DESC, router
LIMIT 20
