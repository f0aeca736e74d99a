-- What lists are asked by and had no index: addresses and hashes that rows may have in one of several columns. An index over all of these answers "this one or
-- that one"; one a column does not. Parts that are there get them when they are merged, or with ALTER TABLE … MATERIALIZE INDEX.
ALTER TABLE transfers
    DROP INDEX IF EXISTS from_index,
    DROP INDEX IF EXISTS to_index,
    ADD INDEX IF NOT EXISTS address_index (from_address, to_address) TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE alerts
    ADD INDEX IF NOT EXISTS address_index (from_address, to_address) TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE swaps
    ADD INDEX IF NOT EXISTS from_index tx_from TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS token_index (token_in, token_out) TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE arbitrages
    ADD INDEX IF NOT EXISTS to_index tx_to TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE sandwiches
    ADD INDEX IF NOT EXISTS transactions_index (frontrun_txs, victim_txs, backrun_txs) TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE liquidations
    ADD INDEX IF NOT EXISTS from_index tx_from TYPE bloom_filter(0.01) GRANULARITY 1;
