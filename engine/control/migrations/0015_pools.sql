CREATE TABLE pools
(
    chain_id bigint      NOT NULL,
    address  text        NOT NULL,
    token0   text        NOT NULL,
    token1   text        NOT NULL,
    factory  text        NULL,
    fee      integer     NULL,
    read_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, address)
);
COMMENT ON TABLE  pools          IS 'What pools say of themselves, which never changes: read once, when a watcher first sees one trade';
COMMENT ON COLUMN pools.chain_id IS 'EIP-155 chain';
COMMENT ON COLUMN pools.address  IS 'contract, 0x and 40 lower-case hex digits, as all addresses here';
COMMENT ON COLUMN pools.token0   IS 'its first token';
COMMENT ON COLUMN pools.token1   IS 'its second token';
COMMENT ON COLUMN pools.factory  IS 'what it says that it was made by; NULL: it does not say';
COMMENT ON COLUMN pools.fee      IS 'what it takes, in hundredths of a bip, as pools of Uniswap V3''s kind say; NULL: it does not say';
COMMENT ON COLUMN pools.read_at  IS 'when it was read';
