DROP TABLE list_entries;
DROP TABLE lists;

CREATE TABLE lists
(
    list       bigint      PRIMARY KEY,
    name       text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('address', 'token', 'selector', 'topic')),
    owner      text        NOT NULL,
    version    integer     NOT NULL CHECK (version > 0),
    content    text        NOT NULL,
    size       integer     NOT NULL,
    edit_bytes integer     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz NULL
);
CREATE UNIQUE INDEX lists_name ON lists (name) WHERE removed_at IS NULL;
COMMENT ON TABLE  lists            IS 'Named sets that rules refer to. One that was removed is kept for 30 days: a world may have it';
COMMENT ON COLUMN lists.list       IS 'changes.number of its first version: a list that is made again under an old name is another one';
COMMENT ON COLUMN lists.name       IS 'as rules refer to it';
COMMENT ON COLUMN lists.kind       IS 'what its entries are: addresses and tokens have 20 bytes, selectors 4, topics 32';
COMMENT ON COLUMN lists.owner      IS 'who made it';
COMMENT ON COLUMN lists.version    IS 'counts its changes from 1';
COMMENT ON COLUMN lists.content    IS 'names the entries of this version: hash of the snapshot, or of the version before and the edit';
COMMENT ON COLUMN lists.size       IS 'entries';
COMMENT ON COLUMN lists.edit_bytes IS 'of the edits since its last snapshot: when they are many, the next edit makes another one';
COMMENT ON COLUMN lists.created_at IS 'first version';
COMMENT ON COLUMN lists.updated_at IS 'last change';
COMMENT ON COLUMN lists.removed_at IS 'null: it is there';

CREATE TABLE list_snapshots
(
    list       bigint      NOT NULL REFERENCES lists (list) ON DELETE CASCADE,
    version    integer     NOT NULL,
    part       integer     NOT NULL,
    entries    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list, version, part)
);
COMMENT ON TABLE  list_snapshots            IS 'All entries of some versions: the first, and one now and then';
COMMENT ON COLUMN list_snapshots.list       IS 'which';
COMMENT ON COLUMN list_snapshots.version    IS 'which of its versions';
COMMENT ON COLUMN list_snapshots.part       IS 'from 0: a part has at most 1 MiB';
COMMENT ON COLUMN list_snapshots.entries    IS 'back to back, in no order';
COMMENT ON COLUMN list_snapshots.created_at IS 'when it was made: 30 days later the snapshots before it go';

CREATE TABLE list_edits
(
    list       bigint      NOT NULL REFERENCES lists (list) ON DELETE CASCADE,
    version    integer     NOT NULL,
    added      bytea       NOT NULL,
    removed    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list, version)
);
COMMENT ON TABLE  list_edits            IS 'How a version came from the one before: one entry of a million is not a million';
COMMENT ON COLUMN list_edits.list       IS 'which';
COMMENT ON COLUMN list_edits.version    IS 'the version that it made';
COMMENT ON COLUMN list_edits.added      IS 'entries back to back that were not there';
COMMENT ON COLUMN list_edits.removed    IS 'entries back to back that were there';
COMMENT ON COLUMN list_edits.created_at IS 'when';

CREATE TABLE worlds
(
    id         text        PRIMARY KEY,
    content    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX worlds_used_at ON worlds (used_at);
COMMENT ON TABLE  worlds            IS 'What rules knew beside their batch: an engine finishes what it began in the world that it began in';
COMMENT ON COLUMN worlds.id         IS 'hash of its content';
COMMENT ON COLUMN worlds.content    IS '{chains, lists: [{name, kind, list, version, id}]}: the lists that rules named';
COMMENT ON COLUMN worlds.created_at IS 'when it was first current';
COMMENT ON COLUMN worlds.used_at    IS 'when an engine last said that it is, to the hour: removed 30 days later';
