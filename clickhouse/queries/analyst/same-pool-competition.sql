-- Blocks in which several accounts arbitraged over the same pool: who came first, and what the later ones still got.
SELECT
    chain_id,
    block_number,
    concat('0x', lower(hex(arrayJoin(arrayDistinct(route_pools)) AS pool))) AS pool_id,
    uniqExact(account) AS accounts,
    count() AS arbitrages,
    argMin(tx_hash, transaction_index) AS first_tx,
    argMax(tx_hash, transaction_index) AS last_tx
FROM arbitrages
WHERE definition = 'cycle'
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, block_number, pool
HAVING accounts > 1
ORDER BY accounts DESC, chain_id, block_number, pool_id
LIMIT 20
