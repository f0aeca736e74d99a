-- Liquidations by protocol and by who made them, with the debts they paid most.
SELECT
    chain_id,
    protocol,
    liquidator,
    count() AS liquidations,
    uniqExact(user_address) AS users,
    topK(3)(debt_token) AS debts
FROM liquidations
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, protocol, liquidator
ORDER BY liquidations DESC, protocol, liquidator
LIMIT 20
