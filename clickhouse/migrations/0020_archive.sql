-- What was removed from the store: a minute whose rows are not all there any more cannot be summed up anew from them.
CREATE TABLE IF NOT EXISTS cleaned_minutes
(
    source    LowCardinality(String) COMMENT 'as in transactions' CODEC(ZSTD(1)),
    partition UInt16                 COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    minute    DateTime('UTC')        COMMENT 'start of a minute of event_time of which rows were removed' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (source, partition, minute)
COMMENT 'Minutes that retention has been at: their roll-ups stay as they are';

CREATE TABLE IF NOT EXISTS restored_segments
(
    id          String               COMMENT 'of the segment of the archive' CODEC(ZSTD(1)),
    restored_at DateTime64(3, 'UTC') COMMENT 'when it was restored, or given up again: of a segment the newest row counts (FINAL)' CODEC(Delta, ZSTD(1)),
    restored    UInt8                COMMENT '1; 0 when retention may remove its rows again' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(restored_at)
ORDER BY id
COMMENT 'Segments of the archive that somebody wanted back in the store: retention leaves them alone';
