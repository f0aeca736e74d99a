-- What pools held at the end of each block in which they were traded, as their last Sync or Swap log there says: SELECT * FROM pool_states WHERE chain_id = 1 AND pool = unhex('…').
-- A view over swaps, which have it already: so nothing more is written, it is archived, exported and kept as long as they are, and blocks that were replaced are
-- not in it, whenever that happened. Conditions on chain, block and pool reach the key and the index of swaps.
CREATE VIEW IF NOT EXISTS pool_states
(
    chain_id        UInt64                         COMMENT 'EIP-155 chain id',
    block_number    UInt64                         COMMENT 'height: the state is that at its end',
    block_hash      Nullable(FixedString(32))      COMMENT 'a block that the chain has not replaced',
    block_timestamp Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block',
    pool            String                         COMMENT 'the contract, 20 bytes; of Uniswap V4 the pool''s id, 32 bytes',
    protocol        LowCardinality(String)         COMMENT 'as the registry calls it',
    token0          FixedString(20)                COMMENT 'the pool''s first token, in the order of addresses; 0xee..ee, the chain''s own coin, is the lowest',
    token1          FixedString(20)                COMMENT 'the pool''s second token',
    reserve0        Nullable(UInt256)              COMMENT 'what a pair holds of token0, smallest unit; NULL of pools with a price',
    reserve1        Nullable(UInt256)              COMMENT 'what it holds of token1',
    sqrt_price_x96  Nullable(UInt256)              COMMENT 'of a pool of Uniswap V3''s kind the square root of token1 by token0, times 2^96; NULL of pairs',
    liquidity       Nullable(UInt128)              COMMENT 'of such a pool the liquidity at its price',
    tick            Nullable(Int32)                COMMENT 'of such a pool',
    price0          Nullable(Float64)              COMMENT 'token1 for a token0, both in smallest units; of a pair by its reserves, which is the price where it keeps x * y',
    price1          Nullable(Float64)              COMMENT 'token0 for a token1',
    swaps           UInt64                         COMMENT 'of the pool in the block',
    tx_hash         FixedString(32)                COMMENT 'transaction of the last of them',
    log_index       UInt32                         COMMENT 'of the last of them'
)
AS
SELECT
    chain_id, block_number, block_hash, last.1 AS block_timestamp, pool, last.2 AS protocol, last.3 AS token0, last.4 AS token1,
    last.5 AS reserve0, last.6 AS reserve1, last.7 AS sqrt_price_x96, last.8 AS liquidity, last.9 AS tick,
    nullIf(if(isNull(sqrt_price_x96), if(reserve0 = 0, NULL, toFloat64(reserve1) / toFloat64(reserve0)), pow(toFloat64(sqrt_price_x96) / pow(2., 96), 2)), 0) AS price0,
    1 / price0 AS price1,
    swaps, last.10 AS tx_hash, last.11 AS log_index
FROM
(
    SELECT chain_id, block_number, block_hash, pool, count() AS swaps,
        argMax((
            block_timestamp, protocol, if(is_first, token_in, token_out), if(is_first, token_out, token_in), reserve0, reserve1, sqrt_price_x96, liquidity, tick,
            tx_hash, log_index
        ), log_index) AS last
    FROM
    (
        SELECT *, if(token_in = coin, '', toString(token_in)) < if(token_out = coin, '', toString(token_out)) AS is_first, unhex(repeat('ee', 20)) AS coin
        FROM swaps
        WHERE (reserve0 IS NOT NULL OR sqrt_price_x96 IS NOT NULL)
            AND NOT (block_hash IS NOT NULL AND (chain_id, assumeNotNull(block_hash)) IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1))
    )
    GROUP BY chain_id, block_number, block_hash, pool
);
