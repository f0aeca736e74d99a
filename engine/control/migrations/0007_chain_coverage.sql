CREATE TABLE chain_coverage
(
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id   bigint      NOT NULL,
    source     text        NOT NULL,
    from_block bigint      NOT NULL CHECK (from_block >= 0),
    to_block   bigint      NOT NULL CHECK (to_block >= from_block - 1),
    proven     boolean     NOT NULL,
    last       jsonb       NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain_id, source, from_block)
);
COMMENT ON TABLE  chain_coverage            IS 'Which blocks of a chain were put onto a topic: a row a stretch without a gap. What no row covers was not looked at';
COMMENT ON COLUMN chain_coverage.id         IS 'in the order in which stretches began';
COMMENT ON COLUMN chain_coverage.chain_id   IS 'EIP-155 chain';
COMMENT ON COLUMN chain_coverage.source     IS 'who put them where: watch <topic>, or backfill <topic> <from>-<to>';
COMMENT ON COLUMN chain_coverage.from_block IS 'first block';
COMMENT ON COLUMN chain_coverage.to_block   IS 'last block; one less than from_block when all were replaced';
COMMENT ON COLUMN chain_coverage.proven     IS 'each block''s header and roots were verified, not only its links';
COMMENT ON COLUMN chain_coverage.last       IS 'the last blocks, ascending: [{"number", "hash"}]; a next run goes on behind them, and notices if they were replaced';
COMMENT ON COLUMN chain_coverage.started_at IS 'when the first was put';
COMMENT ON COLUMN chain_coverage.updated_at IS 'when the last was put';

CREATE TABLE pending_coverage
(
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id bigint      NOT NULL,
    source   text        NOT NULL,
    node     text        NOT NULL,
    via      text        NOT NULL,
    since    timestamptz NOT NULL,
    until    timestamptz NOT NULL,
    reason   text        NULL
);
CREATE INDEX pending_coverage_by_chain ON pending_coverage (chain_id, until);
COMMENT ON TABLE  pending_coverage          IS 'When pending transactions were seen: only there does "never seen pending" mean anything';
COMMENT ON COLUMN pending_coverage.id       IS 'in the order in which intervals began';
COMMENT ON COLUMN pending_coverage.chain_id IS 'EIP-155 chain';
COMMENT ON COLUMN pending_coverage.source   IS 'as in chain_coverage';
COMMENT ON COLUMN pending_coverage.node     IS 'host of the node that announced them';
COMMENT ON COLUMN pending_coverage.via      IS 'subscription, filter or pool';
COMMENT ON COLUMN pending_coverage.since    IS 'when it began';
COMMENT ON COLUMN pending_coverage.until    IS 'when it was last known to work';
COMMENT ON COLUMN pending_coverage.reason   IS 'why it ended; NULL while it goes on, or when the watcher was stopped';
