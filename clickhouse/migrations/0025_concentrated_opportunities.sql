-- Opportunities in pools of Uniswap V3's kind, whose state is a price and the liquidity at it.
ALTER TABLE opportunities ADD COLUMN IF NOT EXISTS sqrt_price_x96 Nullable(UInt256) COMMENT 'of a pool of Uniswap V3''s kind the square root of its price, times 2^96; NULL for a pair' CODEC(ZSTD(1)) AFTER reserve1_raw;
ALTER TABLE opportunities ADD COLUMN IF NOT EXISTS liquidity Nullable(UInt128) COMMENT 'of a pool of Uniswap V3''s kind the liquidity at its price; NULL for a pair' CODEC(ZSTD(1)) AFTER sqrt_price_x96;
ALTER TABLE opportunities COMMENT COLUMN reserve0_raw 'what the pool holds of token0; of a pool of Uniswap V3''s kind, here and in the columns beside it, what a pair of its price and depth would';
