-- What moved in blocks (engine/chain/README.md, Transfers), a row a transfer. Amounts are in the token's smallest unit.
CREATE TABLE IF NOT EXISTS transfers
(
    source            LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash           FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    log_index         Int64                          COMMENT 'of the log that says so; -1: the transaction''s own value' CODEC(T64, ZSTD(1)),
    kind              LowCardinality(String)         COMMENT 'erc20; deposit and withdrawal: coin wrapped and unwrapped; native: the value of a transaction' CODEC(ZSTD(1)),
    token             FixedString(20)                COMMENT 'contract whose log says so; 0xee..ee is the chain''s own coin' CODEC(ZSTD(1)),
    from_address      FixedString(20)                COMMENT 'who gave; zeros: minted, or wrapped' CODEC(ZSTD(1)),
    to_address        FixedString(20)                COMMENT 'who got; zeros: burned, or unwrapped' CODEC(ZSTD(1)),
    amount            UInt256                        COMMENT 'smallest unit' CODEC(ZSTD(1)),
    INDEX time_index event_time TYPE minmax GRANULARITY 1,
    INDEX block_time_index block_timestamp TYPE minmax GRANULARITY 1,
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX token_index token TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX from_index from_address TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX to_index to_address TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'ERC-20 transfers, wrapped and unwrapped coin, and values of transactions, of blocks; nothing of a transaction that reverted';
