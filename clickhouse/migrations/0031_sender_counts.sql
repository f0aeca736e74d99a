-- How many transactions a sender has, for the count beside a page of them: a busy sender has some in each granule, so that all senders would be read to count
-- (64 ms of 10 million). A part of each part, so no insert or delete leaves it behind; it has 28 bytes for each sender of the part. And granules without a risky
-- transaction are not read for a list of those. Parts that are there get both by mutations in the background.
ALTER TABLE transactions
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
ALTER TABLE transactions
    ADD INDEX IF NOT EXISTS risk_index risk TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS senders (SELECT from_address, chain_id, count() GROUP BY from_address, chain_id);
ALTER TABLE transactions MATERIALIZE INDEX risk_index, MATERIALIZE PROJECTION senders;
