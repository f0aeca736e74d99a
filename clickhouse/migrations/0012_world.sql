-- What is explained later is asked of the lists of then.
ALTER TABLE rule_stats
    ADD COLUMN IF NOT EXISTS world LowCardinality(String) COMMENT 'id of the world that the batch ran in: it has the versions of lists; empty: of before it was noted' CODEC(ZSTD(1)) AFTER event_time;
