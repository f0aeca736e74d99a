-- Gas of each block, from what its transactions' records say of it and paid: what GET /api/v1/gas asks, without its transactions. Written by the worker, which
-- has a block as a whole; of a block that came in twice, or in parts, there are as many rows. Those of replaced blocks stay, as everywhere.
CREATE TABLE IF NOT EXISTS gas_blocks
(
    source            LowCardinality(String)         COMMENT 'where its first transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of its first transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    record_time       DateTime64(3, 'UTC')           COMMENT 'time of the record on the broker; 1970 when it has none' CODEC(Delta, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of that transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        FixedString(32)                COMMENT 'hash of the block; blocks whose records do not say it are not here' CODEC(NONE),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    miner             Nullable(FixedString(20))      COMMENT 'fee recipient of the block' CODEC(ZSTD(1)),
    gas_used          Nullable(UInt64)               COMMENT 'by the block; NULL where the records do not say' CODEC(T64, ZSTD(1)),
    gas_limit         Nullable(UInt64)               COMMENT 'of the block' CODEC(T64, ZSTD(1)),
    base_fee_per_gas  Nullable(UInt128)              COMMENT 'wei per gas burned; NULL before EIP-1559' CODEC(ZSTD(1)),
    burnt             Nullable(UInt256)              COMMENT 'wei: base_fee_per_gas x gas_used, blob gas not counted' CODEC(ZSTD(1)),
    transactions      Nullable(UInt32)               COMMENT 'transactions that the block says it has' CODEC(T64, ZSTD(1)),
    transactions_seen UInt32                         COMMENT 'of these: came in together' CODEC(T64, ZSTD(1)),
    priority_fees     Nullable(UInt256)              COMMENT 'wei: what all of them paid the producer above the base fee; NULL where one is missing, or does not say' CODEC(ZSTD(1)),
    priority_fee_p10  Nullable(UInt128)              COMMENT 'wei per gas paid to the producer, at this percentile of the gas, as eth_feeHistory has it; NULL as priority_fees, and of a block without transactions' CODEC(ZSTD(1)),
    priority_fee_p25  Nullable(UInt128)              COMMENT 'at the 25th percentile' CODEC(ZSTD(1)),
    priority_fee_p50  Nullable(UInt128)              COMMENT 'at the median' CODEC(ZSTD(1)),
    priority_fee_p75  Nullable(UInt128)              COMMENT 'at the 75th percentile' CODEC(ZSTD(1)),
    priority_fee_p90  Nullable(UInt128)              COMMENT 'at the 90th percentile' CODEC(ZSTD(1)),
    blob_gas_used     Nullable(UInt64)               COMMENT 'of EIP-4844, or what Optimism''s chains put there' CODEC(T64, ZSTD(1)),
    extra_data        String                         COMMENT 'of the header, hex with 0x, where the source had it: of Optimism''s chains the parameters of the base fee; empty if not' CODEC(ZSTD(1)),
    INDEX time_index event_time TYPE minmax GRANULARITY 1,
    INDEX block_time_index block_timestamp TYPE minmax GRANULARITY 1,
    INDEX miner_index miner TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, block_hash)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'Fees and gas of blocks, one row a block';

-- Blocks that are stored already, from their transactions, the same way: engine/worker/gasRows.ts. All of them are one part, so they are there or they are not.
INSERT INTO gas_blocks
SELECT source, partition, first.1, first.2, first.3, first.4, chain_id, height, hash_, time, miner_, used, most, base,
    toUInt256(base) * used, count_, length(paid),
    if(is_whole, arraySum(x -> toUInt256(x.1) * x.2, tips), NULL),
    if(is_whole, fees[1], NULL), if(is_whole, fees[2], NULL), if(is_whole, fees[3], NULL), if(is_whole, fees[4], NULL), if(is_whole, fees[5], NULL),
    if(blob = '', NULL, reinterpretAsUInt64(reverse(unhex(leftPad(blob, 16, '0'))))), extra_
FROM (
    SELECT *, length(paid) = count_ AND NOT arrayExists(x -> x.2 IS NULL OR x.3 IS NULL, paid) AS is_whole,
        arraySort(x -> x.1, arrayMap(x -> (if(ifNull(x.2, 0) > ifNull(base, 0), ifNull(x.2, 0) - ifNull(base, 0), toUInt128(0)), ifNull(x.3, 0)), paid)) AS tips,
        arrayCumSum(x -> toUInt256(x.2), tips) AS used_up_to,
        arrayMap(p -> tips[arrayFirstIndex(used -> used >= intDiv(used_up_to[-1] * p, 100), used_up_to)].1, [10, 25, 50, 75, 90]) AS fees
    FROM (
        SELECT source, partition, chain_id, assumeNotNull(block_number) AS height, assumeNotNull(block_hash) AS hash_,
            argMin((offset, n, record_time, event_time), (assumeNotNull(transaction_index), offset, n)) AS first, any(block_timestamp) AS time, any(block_miner) AS miner_,
            any(block_gas_used) AS used, any(block_gas_limit) AS most, any(base_fee_per_gas) AS base, any(block_transaction_count) AS count_,
            groupUniqArray((assumeNotNull(transaction_index), effective_gas_price, gas_used)) AS paid,
            any(extract(extra, '"block\\.blobGasUsed":"0x([0-9a-f]{1,16})"')) AS blob, any(extract(extra, '"block\\.extraData":"(0x[0-9a-f]*)"')) AS extra_
        FROM transactions
        WHERE block_number IS NOT NULL AND block_hash IS NOT NULL AND transaction_index IS NOT NULL AND (SELECT count() FROM gas_blocks) = 0
        GROUP BY source, partition, chain_id, height, hash_
    )
)
SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_bytes_before_external_group_by = 1000000000,
    insert_deduplication_token = '0029_gas_blocks';
