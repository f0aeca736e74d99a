-- How much is traded where: swaps, pools, traders, and the part of swaps that are a leg of an arbitrage.
WITH legs AS
(
    SELECT DISTINCT chain_id, block_hash, arrayJoin(route_logs) AS log_index
    FROM arbitrages
    WHERE definition = 'cycle'
)
SELECT
    chain_id,
    protocol,
    count() AS swaps,
    uniqExact(pool) AS pools,
    uniqExact(tx_from) AS traders,
    round(countIf((chain_id, block_hash, log_index) IN legs) / swaps, 3) AS arbitrage_share
FROM (SELECT DISTINCT chain_id, block_hash, log_index, protocol, pool, tx_from FROM swaps WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1))
GROUP BY chain_id, protocol
ORDER BY chain_id, swaps DESC, protocol
