-- Parts are merged when there are 20 of a size, not 5, so a row is written anew less often while it is young; with age they are merged
-- all the same. Inserts and merges of 30 ranges of 9,000 rows: 24 to 15 us of CPU a row; of 100 ranges of 1,500 rows: 85 to 66.
ALTER TABLE transactions MODIFY SETTING merge_selector_base = 20;
ALTER TABLE alerts MODIFY SETTING merge_selector_base = 20;
ALTER TABLE dead_letters MODIFY SETTING merge_selector_base = 20;
ALTER TABLE rule_stats MODIFY SETTING merge_selector_base = 20;
ALTER TABLE rule_state MODIFY SETTING merge_selector_base = 20;
ALTER TABLE transactions_per_minute MODIFY SETTING merge_selector_base = 20;
ALTER TABLE alerts_per_minute MODIFY SETTING merge_selector_base = 20;
