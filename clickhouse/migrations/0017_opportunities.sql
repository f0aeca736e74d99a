-- What could be earned (engine/chain/README.md, Opportunities), and by whom it was. Columns _raw are exact, in the token's smallest unit.
CREATE TABLE IF NOT EXISTS opportunities
(
    source               LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition            UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset               UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                    UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time           DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id             UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number         Nullable(UInt64)               COMMENT 'height; NULL while pending' CODEC(ZSTD(1)),
    block_hash           Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp      Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index    Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash              FixedString(32)                COMMENT 'transaction: the swap that waits, or of a block the last one that moved the pool' CODEC(ZSTD(1)),
    tx_from              FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to                Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    opportunity_id       FixedString(16)                COMMENT 'first half of sha256 over kind, chain, transaction, block hash or "pending", pool and other pool' CODEC(NONE),
    kind                 LowCardinality(String)         COMMENT 'pool_imbalance: a block left a pool so; pending_backrun: a swap that waits would' CODEC(ZSTD(1)),
    log_index            Nullable(UInt32)               COMMENT 'of the swap that left the pool so; NULL while pending' CODEC(ZSTD(1)),
    state_block          UInt64                         COMMENT 'the reserves are those at the end of this block; of pending_backrun with the swap behind them' CODEC(Delta, ZSTD(1)),
    dex                  LowCardinality(String)         COMMENT 'venue of the pool as the registry calls it, else the protocol' CODEC(ZSTD(1)),
    pool                 FixedString(20)                COMMENT 'contract of the pool' CODEC(ZSTD(1)),
    token0               FixedString(20)                COMMENT 'the pool''s first token' CODEC(ZSTD(1)),
    token1               FixedString(20)                COMMENT 'the pool''s second token' CODEC(ZSTD(1)),
    reserve0             Nullable(Float64)              COMMENT 'whole tokens; NULL where the token''s decimals are not known' CODEC(ZSTD(1)),
    reserve1             Nullable(Float64)              COMMENT 'whole tokens; NULL where the token''s decimals are not known' CODEC(ZSTD(1)),
    reserve0_raw         UInt256                        COMMENT 'what the pool holds of token0' CODEC(ZSTD(1)),
    reserve1_raw         UInt256                        COMMENT 'what the pool holds of token1' CODEC(ZSTD(1)),
    imbalance_pct        Nullable(Float64)              COMMENT 'percent by which the larger side is above the square root of the product, of what the sides are worth; NULL where that is not known' CODEC(ZSTD(1)),
    imbalance_pct_raw    Float64                        COMMENT 'the same of amounts in smallest units, as seed 002 has it' CODEC(ZSTD(1)),
    other_dex            LowCardinality(String)         COMMENT 'venue of other_pool; empty without one' CODEC(ZSTD(1)),
    other_pool           Nullable(FixedString(20))      COMMENT 'pool of the same tokens that the profit is made against; NULL: none is known, or none leaves a profit' CODEC(ZSTD(1)),
    profit_token         Nullable(FixedString(20))      COMMENT 'token that the best trade begins and ends with' CODEC(ZSTD(1)),
    amount_in_raw        Nullable(UInt256)              COMMENT 'its best input, in closed form' CODEC(ZSTD(1)),
    amount_out_raw       Nullable(UInt256)              COMMENT 'what comes back' CODEC(ZSTD(1)),
    profit_raw           Nullable(Int256)               COMMENT 'amount_out - amount_in: pools'' fees are deducted, gas is not' CODEC(ZSTD(1)),
    gas_cost_raw         Nullable(UInt256)              COMMENT 'wei that the trade would cost at the gas price of the transaction' CODEC(ZSTD(1)),
    profit_native        Nullable(Float64)              COMMENT 'profit less gas in the chain''s coin; NULL where the profit token''s price in it is not known' CODEC(ZSTD(1)),
    profit_native_raw    Nullable(Int256)               COMMENT 'the same in wei' CODEC(ZSTD(1)),
    profit_usd           Nullable(Decimal(38, 6))       COMMENT 'profit less gas in USD; NULL where a price is not known' CODEC(ZSTD(1)),
    is_small_opportunity Nullable(Bool)                 COMMENT 'profit_usd is from 10,000 to 100,000; NULL where it is not known' CODEC(ZSTD(1)),
    exposure_token       Nullable(FixedString(20))      COMMENT 'what the swap that waits pays this pool: token of exposure_front and exposure_profit; NULL: it is not exposed, or not pending' CODEC(ZSTD(1)),
    exposure_front_raw   Nullable(UInt256)              COMMENT 'largest front-run after which it still gets its least' CODEC(ZSTD(1)),
    exposure_loss_raw    Nullable(UInt256)              COMMENT 'what it would get less, in the token that it buys' CODEC(ZSTD(1)),
    exposure_profit_raw  Nullable(Int256)               COMMENT 'what is left to the attacker, before gas' CODEC(ZSTD(1)),
    status               LowCardinality(String)         COMMENT 'pending; confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence           LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason               LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence             Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX id_index opportunity_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pool_index pool TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, event_time, opportunity_id)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'What could be earned between pools, one row an opportunity';

CREATE TABLE IF NOT EXISTS opportunity_captures
(
    source               LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition            UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset               UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                    UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time           DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id             UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number         UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash           Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp      Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index    Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash              FixedString(32)                COMMENT 'transaction of the arbitrage' CODEC(ZSTD(1)),
    tx_from              FixedString(20)                COMMENT 'sender of the transaction: captured_by' CODEC(ZSTD(1)),
    tx_to                Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index            UInt32                         COMMENT 'of the arbitrage, as in arbitrages' CODEC(T64, ZSTD(1)),
    pool                 FixedString(20)                COMMENT 'a pool of its route' CODEC(ZSTD(1)),
    account              FixedString(20)                COMMENT 'who swapped: often a contract of tx_from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, pool, block_number)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'An arbitrage (definition cycle) went through a pool: it captures what opportunities were open there. One row a transaction and pool';
