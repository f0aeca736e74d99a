CREATE TABLE IF NOT EXISTS rule_stats
(
    source       LowCardinality(String) COMMENT 'as in transactions' CODEC(ZSTD(1)),
    partition    UInt16                 COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset       UInt64                 COMMENT 'first offset of the batch' CODEC(Delta, ZSTD(1)),
    event_time   DateTime64(6, 'UTC')   COMMENT 'event_time of the first transaction of the batch' CODEC(Delta, ZSTD(1)),
    rule         LowCardinality(String) COMMENT 'name of the rule' CODEC(ZSTD(1)),
    rule_version UInt32                 COMMENT 'version of the rule' CODEC(T64, ZSTD(1)),
    evaluations  UInt64                 COMMENT 'transactions that passed the filter and were shown to the rule' CODEC(T64, ZSTD(1)),
    matches      UInt64                 COMMENT 'alerts it raised' CODEC(T64, ZSTD(1)),
    traps        UInt64                 COMMENT 'transactions it failed on' CODEC(T64, ZSTD(1)),
    fuel         UInt64                 COMMENT 'fuel it used' CODEC(T64, ZSTD(1)),
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (rule, rule_version, event_time)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What each rule did and cost, one row a rule and batch';
