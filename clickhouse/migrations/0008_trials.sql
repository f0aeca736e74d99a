-- Of a version on trial beside a live one: what it would change.
ALTER TABLE rule_stats
    ADD COLUMN IF NOT EXISTS added   UInt64 COMMENT 'of a version on trial: transactions it would alert on and the live one did not' CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS dropped UInt64 COMMENT 'of a version on trial: transactions the live one alerted on and it would not' CODEC(T64, ZSTD(1));
