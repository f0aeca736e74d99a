-- A chain may replace its last blocks: what they said has not happened. And it may come back to a block that it had replaced.
CREATE TABLE IF NOT EXISTS replaced_blocks
(
    chain_id     UInt64          COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number UInt64          COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash   FixedString(32) COMMENT 'block that was replaced at some time' CODEC(ZSTD(1)),
    replaced     UInt8           COMMENT '1; 0 when the chain has come back to it' CODEC(ZSTD(1)),
    offset       UInt64          COMMENT 'of the record of block_status that says so: of a block the row with the highest counts (FINAL)' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
ORDER BY (chain_id, block_number, block_hash)
COMMENT 'Blocks that a chain has replaced, the few that there are';

CREATE TABLE IF NOT EXISTS chain_heads
(
    chain_id     UInt64          COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number UInt64          COMMENT 'height of the last block of the chain' CODEC(Delta, ZSTD(1)),
    block_hash   FixedString(32) COMMENT 'its hash' CODEC(ZSTD(1)),
    confirmed    UInt64          COMMENT 'up to this height a block is taken for final: WEIR_REORG_DEPTH below the last' CODEC(Delta, ZSTD(1)),
    offset       UInt64          COMMENT 'of the record of block_status that says so: of a chain the row with the highest counts (FINAL)' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
ORDER BY chain_id
COMMENT 'Where each chain that is followed live stands';
