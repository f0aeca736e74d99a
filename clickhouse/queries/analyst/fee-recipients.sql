-- Who gets the blocks' priority fees: blocks, fees in the chain's coin where receipts tell, and what arbitrages and sandwiches paid besides.
WITH bribes AS
(
    SELECT chain_id, block_hash, sum(fee_recipient_payment) AS paid
    FROM (SELECT chain_id, block_hash, fee_recipient_payment FROM arbitrages UNION ALL SELECT chain_id, block_hash, fee_recipient_payment FROM sandwiches)
    GROUP BY chain_id, block_hash
)
SELECT
    chain_id,
    miner AS fee_recipient,
    count() AS blocks,
    round(sum(fees) / 1e18, 4) AS fees_coin,
    round(toFloat64(sum(paid)) / 1e18, 4) AS paid_besides_coin
FROM
(
    SELECT chain_id, block_hash, any(block_miner) AS miner, sum((toFloat64(effective_gas_price) - toFloat64(ifNull(base_fee_per_gas, 0))) * gas_used) AS fees
    FROM (SELECT DISTINCT chain_id, block_hash, hash, block_miner, effective_gas_price, base_fee_per_gas, gas_used FROM transactions
        WHERE block_number IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1))
    GROUP BY chain_id, block_hash
) AS blocks
LEFT JOIN bribes USING (chain_id, block_hash)
GROUP BY chain_id, fee_recipient
ORDER BY blocks DESC, chain_id, fee_recipient
LIMIT 20
