-- What a block's receipts say that happened (engine/chain/README.md), a table a kind. Amounts are in a token's smallest unit.
CREATE TABLE IF NOT EXISTS swaps
(
    source            LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash           FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from           FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to             Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index         UInt32                         COMMENT 'of the log that says so, or the first of them' CODEC(T64, ZSTD(1)),
    protocol          LowCardinality(String)         COMMENT 'as the registry calls it: uniswap_v2, uniswap_v3, balancer_v1, curve' CODEC(ZSTD(1)),
    pool              String                         COMMENT 'the contract, 20 bytes; of Uniswap V4 and Balancer V2 the pool''s id, 32 bytes' CODEC(ZSTD(1)),
    sender            FixedString(20)                COMMENT 'who paid the pool' CODEC(ZSTD(1)),
    recipient         FixedString(20)                COMMENT 'who was paid by it' CODEC(ZSTD(1)),
    token_in          FixedString(20)                COMMENT 'what the pool received; 0xee..ee is the chain''s own coin' CODEC(ZSTD(1)),
    amount_in         UInt256                        COMMENT 'smallest unit, as received: of a taxed token less than was sent' CODEC(ZSTD(1)),
    token_out         FixedString(20)                COMMENT 'what it paid out' CODEC(ZSTD(1)),
    amount_out        UInt256                        COMMENT 'smallest unit' CODEC(ZSTD(1)),
    provenance        LowCardinality(String)         COMMENT 'where the tokens are known from: log, pool or transfers' CODEC(ZSTD(1)),
    reserve0          Nullable(UInt256)              COMMENT 'of the pool after the swap, where its Sync log says' CODEC(ZSTD(1)),
    reserve1          Nullable(UInt256)              COMMENT 'of the pool after the swap, where its Sync log says' CODEC(ZSTD(1)),
    sqrt_price_x96    Nullable(UInt256)              COMMENT 'of the pool after the swap: square root of token1 by token0, times 2^96' CODEC(ZSTD(1)),
    liquidity         Nullable(UInt128)              COMMENT 'of the pool after the swap, in range' CODEC(ZSTD(1)),
    tick              Nullable(Int32)                COMMENT 'of the pool after the swap' CODEC(ZSTD(1)),
    status            LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence        LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason            LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence          Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pool_index pool TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX sender_index sender TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'A pool received one token and paid out another, one row a swap';

CREATE TABLE IF NOT EXISTS arbitrages
(
    source                LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition             UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset                UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                     UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time            DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id              UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number          UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash            Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp       Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index     Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash               FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from               FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to                 Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index             UInt32                         COMMENT 'of the log that says so, or the first of them' CODEC(T64, ZSTD(1)),
    definition            LowCardinality(String)         COMMENT 'cycle: a closed route of one account; router: two swaps or more through a known router''s known method, closed or not' CODEC(ZSTD(1)),
    account               FixedString(20)                COMMENT 'who swapped: often a contract of tx_from' CODEC(ZSTD(1)),
    profit_token          FixedString(20)                COMMENT 'token of the amounts' CODEC(ZSTD(1)),
    start_amount          UInt256                        COMMENT 'put in, smallest unit' CODEC(ZSTD(1)),
    end_amount            UInt256                        COMMENT 'got out, smallest unit' CODEC(ZSTD(1)),
    profit_amount         Nullable(Int256)               COMMENT 'end_amount - start_amount, gas and payments not deducted; NULL when the route ends in another token' CODEC(ZSTD(1)),
    route_logs            Array(UInt32)                  COMMENT 'log_index of each swap of the route, as in swaps' CODEC(ZSTD(1)),
    route_protocols       Array(LowCardinality(String))  COMMENT 'protocol of each' CODEC(ZSTD(1)),
    route_pools           Array(String)                  COMMENT 'pool of each' CODEC(ZSTD(1)),
    route_tokens          Array(FixedString(20))         COMMENT 'token_in of each' CODEC(ZSTD(1)),
    gas_cost              Nullable(UInt256)              COMMENT 'wei: gas used x effective gas price of what the searcher sent for it; NULL where unknown' CODEC(ZSTD(1)),
    fee_recipient_payment Nullable(UInt256)              COMMENT 'wei paid to the block''s fee recipient besides gas, as far as it can be seen; NULL where it was not looked for' CODEC(ZSTD(1)),
    payments_complete     Nullable(Bool)                 COMMENT 'a trace showed what contracts sent; if not, net_profit and roi_percent are upper bounds' CODEC(ZSTD(1)),
    net_profit            Nullable(Int256)               COMMENT 'wei: gross profit less gas and payments; NULL where one of them has no price in wei, or is unknown' CODEC(ZSTD(1)),
    roi_percent           Nullable(Float64)              COMMENT 'net profit by what was put in' CODEC(ZSTD(1)),
    gross_usd             Nullable(Decimal(38, 6))       COMMENT 'gross profit in USD; NULL where there is no price' CODEC(ZSTD(1)),
    net_usd               Nullable(Decimal(38, 6))       COMMENT 'net profit in USD; NULL where there is no price' CODEC(ZSTD(1)),
    status                LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence            LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason                LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence              Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX account_index account TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX tx_from_index tx_from TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'Swaps of one transaction that form an arbitrage, one row a route';

CREATE TABLE IF NOT EXISTS sandwiches
(
    source                LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition             UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset                UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                     UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time            DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id              UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number          UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash            Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp       Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index     Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash               FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from               FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to                 Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index             UInt32                         COMMENT 'of the log that says so, or the first of them' CODEC(T64, ZSTD(1)),
    protocol              LowCardinality(String)         COMMENT 'as the registry calls it: uniswap_v2, uniswap_v3, balancer_v1, curve' CODEC(ZSTD(1)),
    pool                  String                         COMMENT 'the contract, 20 bytes; of Uniswap V4 and Balancer V2 the pool''s id, 32 bytes' CODEC(ZSTD(1)),
    sandwicher            FixedString(20)                COMMENT 'who swapped before and after' CODEC(ZSTD(1)),
    frontrun_txs          Array(FixedString(32))         COMMENT 'transactions before the victims' CODEC(ZSTD(1)),
    victim_txs            Array(FixedString(32))         COMMENT 'whose price was made worse' CODEC(ZSTD(1)),
    backrun_txs           Array(FixedString(32))         COMMENT 'transactions after the victims' CODEC(ZSTD(1)),
    frontrun_in           UInt256                        COMMENT 'what the frontruns put into the pool' CODEC(ZSTD(1)),
    frontrun_out          UInt256                        COMMENT 'what they got' CODEC(ZSTD(1)),
    backrun_in            UInt256                        COMMENT 'what the backruns put into the pool' CODEC(ZSTD(1)),
    backrun_out           UInt256                        COMMENT 'what they got' CODEC(ZSTD(1)),
    profit_token          FixedString(20)                COMMENT 'token of profit_amount' CODEC(ZSTD(1)),
    profit_amount         Int256                         COMMENT 'of this pool alone: what the backruns got less what the frontruns put in; gas and payments not deducted' CODEC(ZSTD(1)),
    loss_tokens           Array(FixedString(20))         COMMENT 'of each loss: what the victim bought' CODEC(ZSTD(1)),
    loss_txs              Array(FixedString(32))         COMMENT 'of each loss: the victim''s transaction' CODEC(ZSTD(1)),
    loss_amounts          Array(Nullable(UInt256))       COMMENT 'how much less the victim got than without the frontrun; NULL where it cannot be computed' CODEC(ZSTD(1)),
    gas_cost              Nullable(UInt256)              COMMENT 'wei: gas used x effective gas price of what the searcher sent for it; NULL where unknown' CODEC(ZSTD(1)),
    fee_recipient_payment Nullable(UInt256)              COMMENT 'wei paid to the block''s fee recipient besides gas, as far as it can be seen; NULL where it was not looked for' CODEC(ZSTD(1)),
    payments_complete     Nullable(Bool)                 COMMENT 'a trace showed what contracts sent; if not, net_profit and roi_percent are upper bounds' CODEC(ZSTD(1)),
    net_profit            Nullable(Int256)               COMMENT 'wei: gross profit less gas and payments; NULL where one of them has no price in wei, or is unknown' CODEC(ZSTD(1)),
    roi_percent           Nullable(Float64)              COMMENT 'net profit by what was put in' CODEC(ZSTD(1)),
    gross_usd             Nullable(Decimal(38, 6))       COMMENT 'gross profit in USD; NULL where there is no price' CODEC(ZSTD(1)),
    net_usd               Nullable(Decimal(38, 6))       COMMENT 'net profit in USD; NULL where there is no price' CODEC(ZSTD(1)),
    status                LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence            LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason                LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence              Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pool_index pool TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX sandwicher_index sandwicher TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX tx_from_index tx_from TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'Swaps before and after others'' swaps on one pool in one block, one row an attack; its position is that of the first frontrun';

CREATE TABLE IF NOT EXISTS liquidations
(
    source            LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash           FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from           FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to             Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index         UInt32                         COMMENT 'of the log that says so, or the first of them' CODEC(T64, ZSTD(1)),
    protocol          LowCardinality(String)         COMMENT 'aave, compound_v2, cream, compound_v3, maker' CODEC(ZSTD(1)),
    pool              FixedString(20)                COMMENT 'the contract that says so: lending pool, or market of the debt' CODEC(ZSTD(1)),
    liquidator        FixedString(20)                COMMENT 'who paid' CODEC(ZSTD(1)),
    user_address      FixedString(20)                COMMENT 'whose debt it was' CODEC(ZSTD(1)),
    debt_token        FixedString(20)                COMMENT 'what was paid' CODEC(ZSTD(1)),
    debt_amount       UInt256                        COMMENT 'smallest unit' CODEC(ZSTD(1)),
    collateral_token  FixedString(20)                COMMENT 'what was got for it; of Compound the cToken' CODEC(ZSTD(1)),
    collateral_amount UInt256                        COMMENT 'smallest unit' CODEC(ZSTD(1)),
    status            LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence        LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason            LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence          Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pool_index pool TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX liquidator_index liquidator TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_address_index user_address TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'A debt paid for another, who lost collateral for it, one row a liquidation';

CREATE TABLE IF NOT EXISTS jit_liquidity
(
    source            LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash           FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from           FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to             Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    log_index         UInt32                         COMMENT 'of the log that says so, or the first of them' CODEC(T64, ZSTD(1)),
    protocol          LowCardinality(String)         COMMENT 'as the registry calls it: uniswap_v2, uniswap_v3, balancer_v1, curve' CODEC(ZSTD(1)),
    pool              String                         COMMENT 'the contract, 20 bytes; of Uniswap V4 and Balancer V2 the pool''s id, 32 bytes' CODEC(ZSTD(1)),
    provider          FixedString(20)                COMMENT 'whose liquidity it is' CODEC(ZSTD(1)),
    swap_txs          Array(FixedString(32))         COMMENT 'transactions that swapped in between' CODEC(ZSTD(1)),
    burn_tx           FixedString(32)                COMMENT 'transaction that took it out' CODEC(ZSTD(1)),
    liquidity         UInt256                        COMMENT 'in the pool''s units' CODEC(ZSTD(1)),
    status            LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence        LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason            LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence          Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pool_index pool TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX provider_index provider TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number, log_index)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'Liquidity added right before others'' swaps and taken out right after them, one row a position; its position is that of the mint';

CREATE TABLE IF NOT EXISTS failed_attempts
(
    source            LowCardinality(String)         COMMENT 'where the transaction came from: as in transactions' CODEC(ZSTD(1)),
    partition         UInt16                         COMMENT 'partition of the source' CODEC(T64, ZSTD(1)),
    offset            UInt64                         COMMENT 'offset of the record of the transaction' CODEC(Delta, ZSTD(1)),
    n                 UInt32                         COMMENT 'index of the transaction within its record' CODEC(T64, ZSTD(1)),
    event_time        DateTime64(6, 'UTC')           COMMENT 'event_time of the transaction' CODEC(Delta, ZSTD(1)),
    chain_id          UInt64                         COMMENT 'EIP-155 chain id' CODEC(T64, ZSTD(1)),
    block_number      UInt64                         COMMENT 'height' CODEC(Delta, ZSTD(1)),
    block_hash        Nullable(FixedString(32))      COMMENT 'hash of the block' CODEC(ZSTD(1)),
    block_timestamp   Nullable(DateTime64(0, 'UTC')) COMMENT 'time of the block' CODEC(ZSTD(1)),
    transaction_index Nullable(UInt32)               COMMENT 'position of the transaction in the block' CODEC(ZSTD(1)),
    tx_hash           FixedString(32)                COMMENT 'transaction' CODEC(ZSTD(1)),
    tx_from           FixedString(20)                COMMENT 'sender of the transaction' CODEC(ZSTD(1)),
    tx_to             Nullable(FixedString(20))      COMMENT 'recipient of the transaction; NULL for a contract creation' CODEC(ZSTD(1)),
    searcher          FixedString(20)                COMMENT 'sender or recipient, whichever is known' CODEC(ZSTD(1)),
    status            LowCardinality(String)         COMMENT 'confirmed; provisional: not all of the block was there, and the rest of it could change this' CODEC(ZSTD(1)),
    confidence        LowCardinality(String)         COMMENT 'high, medium or low' CODEC(ZSTD(1)),
    reason            LowCardinality(String)         COMMENT 'why so, in words' CODEC(ZSTD(1)),
    evidence          Array(UInt32)                  COMMENT 'indexes of the logs of the block that it was read from' CODEC(ZSTD(1)),
    INDEX tx_index tx_hash TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX searcher_index searcher TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_index offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain_id, block_number)
SETTINGS non_replicated_deduplication_window = 10000, merge_selector_base = 20, min_bytes_for_wide_part = 268435456
COMMENT 'Reverted transactions of known searchers';
