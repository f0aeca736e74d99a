CREATE TABLE IF NOT EXISTS dead_letters
(
    source      LowCardinality(String) COMMENT 'topic or recording the record came from' CODEC(ZSTD(1)),
    partition   UInt16                 COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset      UInt64                 COMMENT 'offset of the record' CODEC(Delta, ZSTD(1)),
    n           UInt32                 COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    record_time DateTime64(3, 'UTC')   COMMENT 'time of the record on the broker; 1970 when it has none' CODEC(Delta, ZSTD(1)),
    reason      LowCardinality(String) COMMENT 'short name of what is wrong' CODEC(ZSTD(1)),
    detail      String                 COMMENT 'place, value and what was expected; for a rule also its name and version' CODEC(ZSTD(1)),
    rule        LowCardinality(String) COMMENT 'the rule that failed on it; empty when it could not be decoded' CODEC(ZSTD(1)),
    size        UInt32                 COMMENT 'length of bytes' CODEC(T64, ZSTD(1)),
    sha256      FixedString(32)        COMMENT 'sha256 of bytes' CODEC(NONE),
    bytes       String                 COMMENT 'what could not be processed, as received' CODEC(ZSTD(1)),
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (record_time, reason)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Records, or transactions within them, that could not be processed';
