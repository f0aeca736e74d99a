-- Who sandwiches: attacks, victims, and what was left after gas and payments in the chain's coin, as far as it is known.
SELECT
    chain_id,
    sandwicher,
    count() AS attacks,
    sum(length(victim_txs)) AS victims,
    uniqExact(pool) AS pools,
    toFloat64(sum(net_profit)) / 1e18 AS net_coin,
    toFloat64(sum(gas_cost)) / 1e18 AS gas_coin
FROM sandwiches
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, sandwicher
ORDER BY attacks DESC, sandwicher
LIMIT 20
