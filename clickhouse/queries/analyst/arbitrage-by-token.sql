-- In which tokens arbitrages are settled, and how much they leave in each, in its smallest unit, gas not deducted.
SELECT
    chain_id,
    profit_token,
    count() AS arbitrages,
    uniqExact(account) AS accounts,
    sum(profit_amount) AS profit,
    max(profit_amount) AS largest
FROM arbitrages
WHERE definition = 'cycle'
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, profit_token
ORDER BY arbitrages DESC, profit_token
LIMIT 20
