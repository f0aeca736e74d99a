-- What replaced blocks said is taken out of the counts by minute when they are read: this finds their rows. A granule has few blocks,
-- so the filter is small (16 bytes a block), and of 61 granules one is read; minmax would read all before it, since a NULL counts as the largest.
ALTER TABLE transactions ADD INDEX IF NOT EXISTS block_index block_number TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE transactions MATERIALIZE INDEX block_index;
ALTER TABLE alerts ADD INDEX IF NOT EXISTS block_index block_number TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE alerts MATERIALIZE INDEX block_index;
ALTER TABLE transactions_per_minute MODIFY COMMENT 'Transactions by minute: sum() over the rows of a key; those of replaced blocks are in it, and taken out when it is read';
ALTER TABLE alerts_per_minute MODIFY COMMENT 'Alerts by minute: sum() over the rows of a key; those of replaced blocks are in it, and taken out when it is read';
