-- Roll-ups by minute. Source and partition are part of the key: a bucket has one writer, so after an unclean stop its owner
-- can recompute it from the base table while others go on.
CREATE TABLE IF NOT EXISTS transactions_per_minute
(
    chain_id     UInt64                 COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    minute       DateTime('UTC')        COMMENT 'start of the minute of event_time' CODEC(Delta, ZSTD(1)),
    source       LowCardinality(String) COMMENT 'as in transactions' CODEC(ZSTD(1)),
    partition    UInt16                 COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    transactions UInt64                 COMMENT 'transactions' CODEC(T64, ZSTD(1)),
    pending      UInt64                 COMMENT 'of these: seen pending, without a block' CODEC(T64, ZSTD(1)),
    failed       UInt64                 COMMENT 'of these: reverted' CODEC(T64, ZSTD(1)),
    gas_used     UInt64                 COMMENT 'gas used, where known' CODEC(T64, ZSTD(1)),
    input_bytes  UInt64                 COMMENT 'bytes of call data' CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree
ORDER BY (chain_id, minute, source, partition)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Transactions by minute: sum() over the rows of a key';

CREATE MATERIALIZED VIEW IF NOT EXISTS transactions_per_minute_view TO transactions_per_minute AS
SELECT
    chain_id,
    toDateTime(toStartOfMinute(event_time), 'UTC') AS minute,
    source,
    partition,
    count() AS transactions,
    countIf(block_number IS NULL) AS pending,
    countIf(status = 0) AS failed,
    sum(ifNull(gas_used, 0)) AS gas_used,
    sum(length(input)) AS input_bytes
FROM transactions
GROUP BY chain_id, minute, source, partition;

CREATE TABLE IF NOT EXISTS alerts_per_minute
(
    chain_id  UInt64                 COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    minute    DateTime('UTC')        COMMENT 'start of the minute of event_time' CODEC(Delta, ZSTD(1)),
    rule      LowCardinality(String) COMMENT 'name of the rule' CODEC(ZSTD(1)),
    severity  LowCardinality(String) COMMENT 'severity of the alerts' CODEC(ZSTD(1)),
    source    LowCardinality(String) COMMENT 'as in transactions' CODEC(ZSTD(1)),
    partition UInt16                 COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    alerts    UInt64                 COMMENT 'alerts' CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree
ORDER BY (chain_id, minute, rule, severity, source, partition)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Alerts by minute: sum() over the rows of a key';

CREATE MATERIALIZED VIEW IF NOT EXISTS alerts_per_minute_view TO alerts_per_minute AS
SELECT
    chain_id,
    toDateTime(toStartOfMinute(event_time), 'UTC') AS minute,
    rule,
    severity,
    source,
    partition,
    count() AS alerts
FROM alerts
GROUP BY chain_id, minute, rule, severity, source, partition;
