-- How much of a chain's coin moves: as values of transactions, and how much is wrapped and unwrapped. What contracts send each other is in no receipt.
SELECT
    chain_id,
    toStartOfHour(ifNull(block_timestamp, toDateTime(event_time, 'UTC'))) AS hour,
    countIf(kind = 'native') AS values,
    toFloat64(sumIf(amount, kind = 'native')) / 1e18 AS sent,
    toFloat64(sumIf(amount, kind = 'deposit')) / 1e18 AS wrapped,
    toFloat64(sumIf(amount, kind = 'withdrawal')) / 1e18 AS unwrapped
FROM transfers
WHERE kind != 'erc20'
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, hour
ORDER BY chain_id, hour DESC
LIMIT 1000
