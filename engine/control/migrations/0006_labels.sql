CREATE TABLE labels
(
    chain_id   bigint      NOT NULL,
    address    bytea       NOT NULL CHECK (length(address) = 20),
    name       text        NOT NULL,
    symbol     text        NULL,
    decimals   integer     NULL CHECK (decimals BETWEEN 0 AND 77),
    owner      text        NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, address),
    CHECK ((symbol IS NULL) = (decimals IS NULL))
);
COMMENT ON TABLE  labels            IS 'What addresses are called where people read messages. No rule and no batch depends on it';
COMMENT ON COLUMN labels.chain_id   IS 'EIP-155 chain';
COMMENT ON COLUMN labels.address    IS '20 bytes';
COMMENT ON COLUMN labels.name       IS 'as it is shown';
COMMENT ON COLUMN labels.symbol     IS 'of a token: stands behind its amounts';
COMMENT ON COLUMN labels.decimals   IS 'of a token: digits of an amount that are behind the point';
COMMENT ON COLUMN labels.owner      IS 'who said it last';
COMMENT ON COLUMN labels.updated_at IS 'when';
