-- What statistics need of an arbitrage's transaction, so that nothing has to be put together when they are asked for; the hour that a row
-- counts in; how many rows an hour has, and up to which block. These counts are a part of the part: no insert or delete leaves them behind.
ALTER TABLE arbitrages
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE arbitrages
    ADD COLUMN IF NOT EXISTS route        UInt16 COMMENT 'counts the routes of a transaction and definition; what is of the transaction (columns tx_) is asked of route 0' CODEC(ZSTD(1)) AFTER definition,
    ADD COLUMN IF NOT EXISTS tx_swaps     UInt16 DEFAULT length(route_logs) COMMENT 'swaps of all routes' CODEC(ZSTD(1)) AFTER net_usd,
    ADD COLUMN IF NOT EXISTS tx_hops      UInt16 DEFAULT length(route_logs) COMMENT 'swaps of the longest route: 2 is 2-hop, more than 4 N-hop' CODEC(ZSTD(1)) AFTER tx_swaps,
    ADD COLUMN IF NOT EXISTS tx_gas_used  Nullable(UInt64) COMMENT 'gas used by the transaction' CODEC(ZSTD(1)) AFTER tx_hops,
    ADD COLUMN IF NOT EXISTS tx_gas_price Nullable(UInt128) COMMENT 'wei per gas that it paid' CODEC(ZSTD(1)) AFTER tx_gas_used,
    ADD COLUMN IF NOT EXISTS tx_gas_usd   Nullable(Decimal(38, 6)) COMMENT 'gas_cost in USD; NULL where there is no price' CODEC(ZSTD(1)) AFTER tx_gas_price,
    ADD COLUMN IF NOT EXISTS tx_gross_usd Nullable(Decimal(38, 6)) DEFAULT gross_usd COMMENT 'of all routes; NULL where one has no price' CODEC(ZSTD(1)) AFTER tx_gas_usd,
    ADD COLUMN IF NOT EXISTS tx_net_usd   Nullable(Decimal(38, 6)) DEFAULT net_usd COMMENT 'of all routes, less gas and payments once; NULL where it is not known' CODEC(ZSTD(1)) AFTER tx_gross_usd,
    ADD COLUMN IF NOT EXISTS hour         DateTime('UTC') MATERIALIZED toStartOfHour(ifNull(block_timestamp, toDateTime(event_time, 'UTC'))) COMMENT 'hour of the block' CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS hour_index hour TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS time_index event_time TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS hours (SELECT chain_id, hour, count(), max(block_number) GROUP BY chain_id, hour);
ALTER TABLE arbitrages MATERIALIZE COLUMN hour, MATERIALIZE INDEX hour_index, MATERIALIZE INDEX time_index, MATERIALIZE PROJECTION hours;

ALTER TABLE failed_attempts
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE failed_attempts
    ADD COLUMN IF NOT EXISTS hour DateTime('UTC') MATERIALIZED toStartOfHour(ifNull(block_timestamp, toDateTime(event_time, 'UTC'))) COMMENT 'hour of the block' CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS hour_index hour TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS hours (SELECT chain_id, hour, count(), max(block_number) GROUP BY chain_id, hour);
ALTER TABLE failed_attempts MATERIALIZE COLUMN hour, MATERIALIZE INDEX hour_index, MATERIALIZE PROJECTION hours;

ALTER TABLE opportunities
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE opportunities
    ADD COLUMN IF NOT EXISTS hour DateTime('UTC') MATERIALIZED toStartOfHour(toDateTime(event_time, 'UTC')) COMMENT 'hour in which it was detected' CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS hour_index hour TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS time_index event_time TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS hours (SELECT chain_id, hour, count(), max(ifNull(block_number, 0)) GROUP BY chain_id, hour);

-- A capture changes what is said of opportunities of up to 300 s before it.
ALTER TABLE opportunity_captures
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE opportunity_captures
    ADD COLUMN IF NOT EXISTS hour       DateTime('UTC') MATERIALIZED toStartOfHour(ifNull(block_timestamp, toDateTime(event_time, 'UTC'))) COMMENT 'hour of the block' CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS first_hour DateTime('UTC') MATERIALIZED toStartOfHour(ifNull(block_timestamp, toDateTime(event_time, 'UTC')) - 300) COMMENT 'hour of the oldest opportunity that it may have captured' CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS hour_index hour TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS hours (SELECT chain_id, hour, first_hour, count(), max(block_number) GROUP BY chain_id, hour, first_hour);

CREATE TABLE IF NOT EXISTS stats_hours
(
    chain_id                  UInt64                 COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    definition                LowCardinality(String) COMMENT 'of the arbitrages, as in arbitrages: cycle or router; an hour has both' CODEC(ZSTD(1)),
    hour_timestamp            DateTime('UTC')        COMMENT 'start of the hour' CODEC(Delta, ZSTD(1)),
    transactions_detected     UInt64                 COMMENT 'arbitrage transactions' CODEC(T64, ZSTD(1)),
    profits                   Array(Decimal(38, 6))  COMMENT 'net profit in USD of each of these that has a price' CODEC(ZSTD(1)),
    total_gas_spent_usd       Decimal(38, 6)         COMMENT 'gas of those whose gas has a price' CODEC(ZSTD(1)),
    arbitrageurs              Array(Tuple(address FixedString(20), transactions UInt64, failed UInt64, profit Decimal(38, 6), priced UInt64, gas Decimal(38, 6), gas_gwei Float64, gas_known UInt64, hops2 UInt64, hops3 UInt64, hops4 UInt64, hops5 UInt64, first_seen DateTime('UTC'), last_seen DateTime('UTC'))) COMMENT 'senders: arbitrages, failed attempts, net profit and of how many, gas in USD, sum of gas prices and of how many, arbitrages by longest route (hops5: more than 4), times of the blocks' CODEC(ZSTD(1)),
    opportunities_detected    UInt64                 COMMENT 'opportunities' CODEC(T64, ZSTD(1)),
    opportunities_captured    UInt64                 COMMENT 'of these: an arbitrage took them' CODEC(T64, ZSTD(1)),
    small_opportunities_count UInt64                 COMMENT 'of these: from 10,000 to 100,000 USD' CODEC(T64, ZSTD(1)),
    small_opps_captured       UInt64                 COMMENT 'of the small ones: an arbitrage took them' CODEC(T64, ZSTD(1)),
    base_rows                 UInt64                 COMMENT 'rows of the tables it was made from; when there are more, it is made anew' CODEC(T64, ZSTD(1)),
    version                   DateTime64(6, 'UTC')   COMMENT 'when making it began: of an hour the row with the latest counts (FINAL)' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (chain_id, definition, hour_timestamp)
COMMENT 'Statistics by hour, of hours all of whose blocks are final (engine/statistics/README.md)';
