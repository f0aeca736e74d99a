CREATE TABLE admitted_modules
(
    sha256     text        NOT NULL REFERENCES modules (sha256),
    admission  text        NOT NULL,
    bytes      bytea       NOT NULL,
    manifest   jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sha256, admission)
);
COMMENT ON TABLE  admitted_modules            IS 'Modules as admission made them, so that not every engine does it again. Who can write here can run code without fuel';
COMMENT ON COLUMN admitted_modules.sha256     IS 'of the module as uploaded';
COMMENT ON COLUMN admitted_modules.admission  IS 'hash of the code that admitted it: another version of it does so anew';
COMMENT ON COLUMN admitted_modules.bytes      IS 'metered and limited: is compiled as it is';
COMMENT ON COLUMN admitted_modules.manifest   IS 'as that code understood it';
COMMENT ON COLUMN admitted_modules.created_at IS 'when it was admitted';
