-- Arbitrages on Solana, as their own collectors put them on arbitrage-transactions. A collector that is not sure whether it has sent one sends it again,
-- so of a signature there may be several records; the one that came last counts (FINAL).
CREATE TABLE IF NOT EXISTS solana_transactions
(
    tx_signature   String                  COMMENT 'of the transaction, base58: its first signature' CODEC(ZSTD(1)),
    block_time     DateTime64(3, 'UTC')    COMMENT 'time of the block' CODEC(Delta, ZSTD(1)),
    slot           UInt64                  COMMENT 'slot of the block' CODEC(Delta, ZSTD(1)),
    revenue_sol    Decimal(18, 9)          COMMENT 'what it took in, SOL' CODEC(ZSTD(1)),
    net_profit_sol Nullable(Decimal(18, 9)) COMMENT 'what was left of that, SOL; NULL where the record does not say' CODEC(ZSTD(1)),
    record         String                  COMMENT 'the record as received, JSON: with whatever else the collector says' CODEC(ZSTD(1)),
    source         LowCardinality(String)  COMMENT 'topic the record came from' CODEC(ZSTD(1)),
    partition      UInt16                  COMMENT 'partition of the topic' CODEC(T64, ZSTD(1)),
    offset         UInt64                  COMMENT 'offset of the record' CODEC(Delta, ZSTD(1)),
    record_time    DateTime64(3, 'UTC')    COMMENT 'time of the record on the broker: of a transaction the row with the highest counts' CODEC(Delta, ZSTD(1)),
    INDEX signature_index tx_signature TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(record_time)
ORDER BY (block_time, slot, tx_signature)
COMMENT 'Arbitrages on Solana, told by their collectors; read with FINAL';
