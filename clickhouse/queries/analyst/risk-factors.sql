-- How often each risk factor was found, and the mean risk of transactions that have it. Bits of risk_factors: see the column's comment.
SELECT
    chain_id,
    ['known_bad', 'proxy_change', 'unlimited_approval', 'approval_for_all', 'sandwich_exposure', 'ownership_change', 'fresh_contract',
        'value_outlier', 'gas_outlier', 'unverified_selector'][bit + 1] AS factor,
    uniqExact(hash) AS transactions,
    round(avg(risk), 1) AS mean_risk
FROM transactions
ARRAY JOIN arrayFilter(b -> bitTest(risk_factors, b), range(10)) AS bit
WHERE block_number IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, factor
ORDER BY chain_id, transactions DESC, factor
