CREATE TABLE export_schedules
(
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frequency  text        NOT NULL,
    cron       text        NOT NULL,
    spec       jsonb       NOT NULL,
    upload_to  text        NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_at    timestamptz NOT NULL
);
COMMENT ON TABLE  export_schedules            IS 'Exports that are made again and again, each of what came since the last';
COMMENT ON COLUMN export_schedules.id         IS 'in the order in which they were made';
COMMENT ON COLUMN export_schedules.frequency  IS 'as it was asked for: daily, or a cron expression';
COMMENT ON COLUMN export_schedules.cron       IS 'the same as a cron expression of five fields, UTC';
COMMENT ON COLUMN export_schedules.spec       IS 'what is exported (clickhouse/exports/request.ts)';
COMMENT ON COLUMN export_schedules.upload_to  IS 'where to; null: a folder of its own in WEIR_EXPORTS';
COMMENT ON COLUMN export_schedules.created_by IS 'who asked for it';
COMMENT ON COLUMN export_schedules.created_at IS 'when';
COMMENT ON COLUMN export_schedules.next_at    IS 'when the next one is due';

CREATE TABLE exports
(
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id bigint      NULL REFERENCES export_schedules ON DELETE SET NULL,
    status      text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
    cancel      boolean     NOT NULL DEFAULT false,
    spec        jsonb       NOT NULL,
    place       text        NULL,
    upload_to   text        NULL,
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz NULL,
    finished_at timestamptz NULL,
    progress    jsonb       NOT NULL DEFAULT '{"rows": 0, "total_rows": null, "bytes": 0}',
    files       jsonb       NOT NULL DEFAULT '[]',
    error       text        NULL
);
CREATE INDEX exports_open ON exports (id) WHERE status IN ('queued', 'running');
COMMENT ON TABLE  exports             IS 'Exports that were asked for over the API, one row each';
COMMENT ON COLUMN exports.id          IS 'in the order in which they are made';
COMMENT ON COLUMN exports.schedule_id IS 'the schedule that it is of; null: none, or it was removed';
COMMENT ON COLUMN exports.status      IS 'queued, running (also when its process was killed: the next one goes on), finished, failed, cancelled';
COMMENT ON COLUMN exports.cancel      IS 'whoever runs it is to stop';
COMMENT ON COLUMN exports.spec        IS 'what is exported (clickhouse/exports/request.ts)';
COMMENT ON COLUMN exports.place       IS 'where its files are, or are to be; null while it is queued';
COMMENT ON COLUMN exports.upload_to   IS 'where to, as it was asked for; null: WEIR_EXPORTS';
COMMENT ON COLUMN exports.created_by  IS 'who asked for it, or for its schedule';
COMMENT ON COLUMN exports.created_at  IS 'when';
COMMENT ON COLUMN exports.started_at  IS 'when it was begun';
COMMENT ON COLUMN exports.finished_at IS 'when it came to its end, whichever';
COMMENT ON COLUMN exports.progress    IS 'rows and bytes that are in files, and rows that will be';
COMMENT ON COLUMN exports.files       IS 'of a finished one: name below the place, rows, bytes, sha256';
COMMENT ON COLUMN exports.error       IS 'why it failed';
