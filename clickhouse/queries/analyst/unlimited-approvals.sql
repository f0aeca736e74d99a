-- Who was allowed to take any amount of a token, by how many: approve(address,uint256) with the largest amount. Arguments are words of 32 bytes behind the selector.
SELECT
    chain_id,
    concat('0x', lower(hex(substring(input, 17, 20)))) AS spender,
    uniqExact(hash) AS approvals,
    uniqExact(from_address) AS owners,
    uniqExact(to_address) AS tokens
FROM transactions
WHERE block_number IS NOT NULL AND status = 1
  AND startsWith(input, unhex('095ea7b3')) AND substring(input, 37, 32) = unhex(repeat('ff', 32))
  AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, spender
ORDER BY approvals DESC, spender
LIMIT 20
