-- Auctions for a place in a block: three transactions or more to one contract, of which one paid at least ten times their median priority fee.
SELECT
    chain_id,
    block_number,
    to_address AS contract,
    count() AS bidders,
    countIf(status = 0) AS reverted,
    round(quantileExact(0.5)(tip) / 1e9, 3) AS median_gwei,
    round(max(tip) / 1e9, 3) AS highest_gwei,
    argMax(hash, tip) AS highest_tx
FROM
(
    SELECT DISTINCT chain_id, block_number, to_address, hash, status, toFloat64(effective_gas_price) - toFloat64(ifNull(base_fee_per_gas, 0)) AS tip
    FROM transactions
    WHERE block_number IS NOT NULL AND to_address IS NOT NULL AND effective_gas_price IS NOT NULL
      AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
)
GROUP BY chain_id, block_number, contract
HAVING bidders >= 3 AND highest_gwei >= 10 * median_gwei AND highest_gwei > 0
ORDER BY highest_gwei DESC, chain_id, block_number, contract
LIMIT 20
