-- What rules remember, as a log: a batch adds a row for each key that it wrote, with the value at its end. The last row of a key below
-- `stored` is its value there; those before it are removed now and then.
CREATE TABLE IF NOT EXISTS rule_state
(
    source     LowCardinality(String) COMMENT 'as in transactions' CODEC(ZSTD(1)),
    partition  UInt16                 COMMENT 'partition of the source: each has state of its own' CODEC(T64, ZSTD(1)),
    offset     UInt64                 COMMENT 'first offset of the batch that wrote it' CODEC(Delta, ZSTD(1)),
    rule       LowCardinality(String) COMMENT 'name of the rule' CODEC(ZSTD(1)),
    trial      UInt32                 COMMENT 'the version, if it was on trial: it has state of its own; 0: the live one''s' CODEC(T64, ZSTD(1)),
    name       LowCardinality(String) COMMENT 'name of the counter or window' CODEC(ZSTD(1)),
    shape      LowCardinality(String) COMMENT 'how it was declared: kind, key, value; of a window seconds and buckets' CODEC(ZSTD(1)),
    key        String                 COMMENT 'bytes of the address, or 32 bytes' CODEC(ZSTD(1)),
    value      String                 COMMENT 'little-endian amount; of a window u32 number of its newest bucket, then a ring of amounts' CODEC(ZSTD(1)),
    generation UInt32                 COMMENT 'keys of generations before the last two are forgotten' CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (source, partition, rule, name, key, offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Declared state of rules';
