CREATE TABLE baselines
(
    id      text        PRIMARY KEY,
    entries bytea       NOT NULL,
    rows    integer     NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX baselines_made_at ON baselines (made_at);
COMMENT ON TABLE  baselines         IS 'What was usual: versions of median and deviation by sender and selector. The one that was made last is part of the world; one that no world has any more goes';
COMMENT ON COLUMN baselines.id      IS 'hash of its entries';
COMMENT ON COLUMN baselines.entries IS '44 bytes each: engine/world/baselineBytes.ts';
COMMENT ON COLUMN baselines.rows    IS 'how many';
COMMENT ON COLUMN baselines.made_at IS 'when it was last found to be what is usual';
