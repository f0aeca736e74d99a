-- Of a version on trial beside a live one: which transactions.
ALTER TABLE rule_stats
    ADD COLUMN IF NOT EXISTS added_hashes   Array(FixedString(32)) COMMENT 'hashes of the first 64 of added, in the order of the batch' CODEC(NONE),
    ADD COLUMN IF NOT EXISTS dropped_hashes Array(FixedString(32)) COMMENT 'hashes of the first 64 of dropped, in the order of the batch' CODEC(NONE);
