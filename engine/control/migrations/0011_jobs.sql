CREATE TABLE jobs
(
    name       text        PRIMARY KEY,
    holder     text        NULL,
    held_until timestamptz NULL,
    ran_at     timestamptz NULL,
    CHECK ((holder IS NULL) = (held_until IS NULL))
);
COMMENT ON TABLE  jobs            IS 'Work that one process does at a time, however many run';
COMMENT ON COLUMN jobs.name       IS 'of the work: archive';
COMMENT ON COLUMN jobs.holder     IS 'process that is at it: host, pid, random; NULL: none';
COMMENT ON COLUMN jobs.held_until IS 'when others may take over, unless the holder says before that it is still at it';
COMMENT ON COLUMN jobs.ran_at     IS 'when it was last begun and came to its end; NULL: never';
