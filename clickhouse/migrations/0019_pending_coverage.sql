-- When pending transactions were seen, copied from the control store (engine/lookout/mirror.ts): history is asked here.
CREATE TABLE IF NOT EXISTS pending_coverage
(
    id       UInt64                 COMMENT 'in the order in which intervals began, as in the control store' CODEC(Delta, ZSTD(1)),
    chain_id UInt64                 COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    source   LowCardinality(String) COMMENT 'who put them where: watch <topic>' CODEC(ZSTD(1)),
    node     LowCardinality(String) COMMENT 'host of the node that announced them' CODEC(ZSTD(1)),
    via      LowCardinality(String) COMMENT 'subscription, filter or pool' CODEC(ZSTD(1)),
    since    DateTime64(3, 'UTC')   COMMENT 'when it began' CODEC(Delta, ZSTD(1)),
    until    DateTime64(3, 'UTC')   COMMENT 'when it was last known to work: of an interval the row with the latest counts (FINAL)' CODEC(Delta, ZSTD(1)),
    reason   Nullable(String)       COMMENT 'why it ended; NULL while it goes on, or when the watcher was stopped' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(until)
ORDER BY (chain_id, id)
COMMENT 'When a source of pending transactions was connected and healthy: only there does "never seen pending" mean anything';

-- A view with parameters: SELECT * FROM private_flow(chain_id = 1, since = '2024-06-01 00:00:00', until = '2024-06-02 00:00:00')
CREATE VIEW IF NOT EXISTS private_flow
(
    chain_id     UInt64                    COMMENT 'EIP-155 chain id',
    block_number UInt64                    COMMENT 'height',
    block_hash   Nullable(FixedString(32)) COMMENT 'a block that the chain has not replaced',
    block_time   DateTime64(0, 'UTC')      COMMENT 'time of the block: from since on, before until',
    transactions UInt64                    COMMENT 'of the block, that are stored',
    seen_pending UInt64                    COMMENT 'of these: seen pending by any source, in the day before the block or after it',
    never_seen   Nullable(UInt64)          COMMENT 'the others: private order flow; NULL where no source of pending transactions was healthy in the minute before the block'
)
AS
WITH
    (SELECT groupArray((since, until)) FROM pending_coverage FINAL WHERE chain_id = {chain_id:UInt64}) AS watched
SELECT
    chain_id,
    assumeNotNull(block_number) AS block_number,
    block_hash,
    toDateTime64(assumeNotNull(any(block_timestamp)), 0, 'UTC') AS block_time,
    uniqExact(hash) AS transactions,
    uniqExactIf(hash, seen_at IS NOT NULL OR hash IN (
        SELECT hash FROM transactions
        WHERE chain_id = {chain_id:UInt64} AND block_number IS NULL
            AND event_time >= {since:DateTime('UTC')} - INTERVAL 1 DAY AND event_time < {until:DateTime('UTC')} + INTERVAL 1 DAY
    )) AS seen_pending,
    if(arrayExists(x -> x.1 <= block_time - INTERVAL 60 SECOND AND x.2 >= block_time, watched), transactions - seen_pending, NULL) AS never_seen
FROM transactions
WHERE chain_id = {chain_id:UInt64}
    AND event_time >= {since:DateTime('UTC')} - INTERVAL 1 DAY AND event_time < {until:DateTime('UTC')} + INTERVAL 1 DAY
    AND block_timestamp >= {since:DateTime('UTC')} AND block_timestamp < {until:DateTime('UTC')}
    AND (chain_id, assumeNotNull(block_hash)) NOT IN (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1)
GROUP BY chain_id, block_number, block_hash;
