-- Features read stretches of block time; rows stand by event time, or by block number, which lie close to it. To minmax a NULL counts as the largest, so in
-- transactions, where pending ones lie among the others, the first index finds only where a stretch ends, and the second where it begins. Parts that are there
-- get their index when they are merged, or with ALTER TABLE … MATERIALIZE INDEX.
ALTER TABLE transactions ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE transactions ADD INDEX IF NOT EXISTS block_time_or_0_index ifNull(block_timestamp, toDateTime64(0, 0, 'UTC')) TYPE minmax GRANULARITY 1;
ALTER TABLE swaps ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE arbitrages ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
ALTER TABLE sandwiches ADD INDEX IF NOT EXISTS block_time_index block_timestamp TYPE minmax GRANULARITY 1;
