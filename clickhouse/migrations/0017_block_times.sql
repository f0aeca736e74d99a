-- Features read stretches of block time; rows stand by event time, or by block number, which lie close to it. Parts that are there get their index when they are
-- merged, or with ALTER TABLE … MATERIALIZE INDEX block_time_index.
ALTER TABLE transactions ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE swaps ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE arbitrages ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE sandwiches ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
