-- What reverted transactions cost their senders, in the chain's coin, by the contract they called.
SELECT
    chain_id,
    to_address AS contract,
    uniqExact(hash) AS reverted,
    uniqExact(from_address) AS senders,
    round(sum(cost) / 1e18, 6) AS cost_coin
FROM
(
    SELECT DISTINCT chain_id, hash, from_address, to_address, toFloat64(gas_used) * toFloat64(effective_gas_price) AS cost
    FROM transactions
    WHERE status = 0 AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
)
GROUP BY chain_id, contract
ORDER BY reverted DESC, chain_id, contract
LIMIT 20
