CREATE TABLE IF NOT EXISTS alerts
(
    source       LowCardinality(String)    COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition    UInt16                    COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset       UInt64                    COMMENT 'offset of the record' CODEC(Delta, ZSTD(1)),
    n            UInt32                    COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time   DateTime64(6, 'UTC')      COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    alert_id     FixedString(16)           COMMENT 'first half of sha256 over rule, version, chain, transaction, block hash or "pending", ordinal' CODEC(NONE),
    rule         LowCardinality(String)    COMMENT 'name of the rule' CODEC(ZSTD(1)),
    rule_version UInt32                    COMMENT 'version of the rule' CODEC(T64, ZSTD(1)),
    severity     LowCardinality(String)    COMMENT 'info, low, medium, high or critical' CODEC(ZSTD(1)),
    ordinal      UInt16                    COMMENT 'counts the alerts of one rule for one transaction' CODEC(T64, ZSTD(1)),
    chain_id     UInt64                    COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    tx_hash      FixedString(32)           COMMENT 'transaction' CODEC(ZSTD(1)),
    block_number Nullable(UInt64)          COMMENT 'height; NULL while pending' CODEC(ZSTD(1)),
    block_hash   Nullable(FixedString(32)) COMMENT 'block; NULL while pending' CODEC(ZSTD(1)),
    from_address FixedString(20)           COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    to_address   Nullable(FixedString(20)) COMMENT 'recipient of the transaction' CODEC(ZSTD(1)),
    message      String                    COMMENT 'what the rule said' CODEC(ZSTD(1)),
    INDEX id_index alert_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (event_time, rule)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What rules raised, one row an alert';
