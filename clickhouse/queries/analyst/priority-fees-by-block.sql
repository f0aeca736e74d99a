-- Priority fees of the last blocks, in gwei: what the tenth part paid at most, half, and nine tenths.
SELECT
    chain_id,
    block_number,
    uniqExact(hash) AS transactions,
    round(quantileExact(0.1)(tip) / 1e9, 3) AS p10,
    round(quantileExact(0.5)(tip) / 1e9, 3) AS p50,
    round(quantileExact(0.9)(tip) / 1e9, 3) AS p90
FROM
(
    SELECT DISTINCT chain_id, block_number, hash, toFloat64(effective_gas_price) - toFloat64(base_fee_per_gas) AS tip
    FROM transactions
    WHERE block_number IS NOT NULL AND effective_gas_price IS NOT NULL AND base_fee_per_gas IS NOT NULL
      AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
)
GROUP BY chain_id, block_number
ORDER BY chain_id, block_number DESC
LIMIT 10 BY chain_id
