-- What victims of sandwiches lost, by pool and by the token they bought, in its smallest unit. Where a loss cannot be computed it is not in the sum: see known.
SELECT
    chain_id,
    concat('0x', lower(hex(pool))) AS pool_id,
    any(protocol) AS protocol,
    loss.2 AS token,
    uniqExact(tx_hash) AS sandwiches,
    count() AS losses,
    countIf(loss.1 IS NOT NULL) AS known,
    sum(loss.1) AS lost,
    max(loss.1) AS largest
FROM sandwiches
ARRAY JOIN arrayZip(loss_amounts, loss_tokens) AS loss
WHERE (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, pool, token
ORDER BY losses DESC, pool_id, token
LIMIT 20
