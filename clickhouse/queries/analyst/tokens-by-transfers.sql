-- Which tokens move most: transfers, who gave and who got, and what was made and unmade of them, in the token's smallest unit. A contract logs what it likes:
-- a token of many transfers between strangers that nobody trades is spam.
SELECT
    chain_id,
    token,
    count() AS transfers,
    uniqExact(tx_hash) AS transactions,
    uniqExact(from_address) AS givers,
    uniqExact(to_address) AS takers,
    countIf(from_address = toFixedString('', 20)) AS mints,
    countIf(to_address = toFixedString('', 20)) AS burns
FROM transfers
WHERE kind != 'native'
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, token
ORDER BY transfers DESC, token
LIMIT 50
