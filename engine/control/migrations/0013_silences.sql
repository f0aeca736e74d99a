CREATE TABLE silences
(
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id     bigint      NOT NULL,
    source       text        NOT NULL,
    channel      text        NOT NULL CHECK (channel IN ('blocks', 'pending')),
    since        timestamptz NOT NULL,
    raised_at    timestamptz NOT NULL DEFAULT now(),
    recovered_at timestamptz NULL,
    told         integer     NOT NULL DEFAULT 0,
    claimed_at   timestamptz NULL,
    UNIQUE (chain_id, source, channel, since)
);
CREATE INDEX silences_open ON silences (chain_id) WHERE recovered_at IS NULL;
COMMENT ON TABLE  silences              IS 'When a channel that is watched gave nothing for longer than configured: no alert means nothing then';
COMMENT ON COLUMN silences.id           IS 'in the order in which they were noticed';
COMMENT ON COLUMN silences.chain_id     IS 'EIP-155 chain';
COMMENT ON COLUMN silences.source       IS 'as in chain_coverage';
COMMENT ON COLUMN silences.channel      IS 'blocks or pending';
COMMENT ON COLUMN silences.since        IS 'last sign of life, to the millisecond';
COMMENT ON COLUMN silences.raised_at    IS 'when it was noticed';
COMMENT ON COLUMN silences.recovered_at IS 'when the next sign was noticed; null: it is silent still';
COMMENT ON COLUMN silences.told         IS 'records on the topic of alerts: 0 none, 1 that it is silent, 2 that it is not any more';
COMMENT ON COLUMN silences.claimed_at   IS 'when an engine set out to tell: after a minute another one does';
