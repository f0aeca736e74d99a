-- Of a rule that is throttled: it is in the rule set, and does not run.
ALTER TABLE rule_stats
    ADD COLUMN IF NOT EXISTS skipped UInt64 COMMENT 'transactions that passed the filter and were not shown to the rule, since it was throttled' CODEC(T64, ZSTD(1)) AFTER fuel;
