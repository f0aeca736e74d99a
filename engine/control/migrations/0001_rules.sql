CREATE TABLE changes
(
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint  NOT NULL
);
INSERT INTO changes (number) VALUES (0);
COMMENT ON TABLE  changes        IS 'One row: engines poll its number, and read again what has changed since';
COMMENT ON COLUMN changes.one    IS 'true: there is no second row';
COMMENT ON COLUMN changes.number IS 'grows with each change; a change locks the row first, so that numbers are in the order of commits';

CREATE TABLE modules
(
    sha256 text  PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes  bytea NOT NULL
);
COMMENT ON TABLE  modules        IS 'What rule versions consist of, once each';
COMMENT ON COLUMN modules.sha256 IS 'of the bytes, hex';
COMMENT ON COLUMN modules.bytes  IS 'as uploaded: it is admitted anew by every engine';

CREATE TABLE rules
(
    name           text        PRIMARY KEY,
    owner          text        NOT NULL,
    state          text        NOT NULL CHECK (state IN ('draft', 'shadow', 'live', 'disabled', 'quarantined')),
    newest_version integer     NOT NULL CHECK (newest_version > 0),
    live_version   integer     NULL,
    shadow_version integer     NULL,
    reason         text        NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    change         bigint      NOT NULL,
    CHECK (state <> 'live' OR live_version IS NOT NULL),
    CHECK (state <> 'shadow' OR (shadow_version IS NOT NULL AND live_version IS NULL))
);
CREATE INDEX rules_change ON rules (change);
CREATE INDEX rules_state ON rules (state);
COMMENT ON TABLE  rules                IS 'What rules there are, and which of their versions run';
COMMENT ON COLUMN rules.name           IS 'as its manifest says';
COMMENT ON COLUMN rules.owner          IS 'who uploaded it first';
COMMENT ON COLUMN rules.state          IS 'draft, shadow, live, disabled or quarantined: the last two keep what would run';
COMMENT ON COLUMN rules.newest_version IS 'number of its last version';
COMMENT ON COLUMN rules.live_version   IS 'the version that raises alerts; null: it never did';
COMMENT ON COLUMN rules.shadow_version IS 'the version on trial, beside the live one or alone; null: none';
COMMENT ON COLUMN rules.reason         IS 'why it is disabled or quarantined';
COMMENT ON COLUMN rules.created_at     IS 'first upload';
COMMENT ON COLUMN rules.updated_at     IS 'last change';
COMMENT ON COLUMN rules.change         IS 'changes.number of its last change';

CREATE TABLE rule_versions
(
    rule        text        NOT NULL REFERENCES rules (name),
    version     integer     NOT NULL CHECK (version > 0),
    kind        text        NOT NULL CHECK (kind IN ('wasm', 'json')),
    sha256      text        NOT NULL REFERENCES modules (sha256),
    size        integer     NOT NULL,
    manifest    jsonb       NOT NULL,
    parameters  jsonb       NOT NULL DEFAULT '{}',
    uploaded_by text        NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule, version)
);
CREATE INDEX rule_versions_sha256 ON rule_versions (sha256);
COMMENT ON TABLE  rule_versions             IS 'Every version that was ever uploaded; none is changed or removed';
COMMENT ON COLUMN rule_versions.rule        IS 'name of the rule';
COMMENT ON COLUMN rule_versions.version     IS 'counts from 1';
COMMENT ON COLUMN rule_versions.kind        IS 'wasm: a module; json: the canonical text of a JSON rule';
COMMENT ON COLUMN rule_versions.sha256      IS 'of its content, in modules';
COMMENT ON COLUMN rule_versions.size        IS 'bytes of its content';
COMMENT ON COLUMN rule_versions.manifest    IS 'what it says about itself, as it was understood when uploaded';
COMMENT ON COLUMN rule_versions.parameters  IS 'values of its parameters that differ from their defaults, by name';
COMMENT ON COLUMN rule_versions.uploaded_by IS 'who';
COMMENT ON COLUMN rule_versions.uploaded_at IS 'when';

ALTER TABLE rules
    ADD FOREIGN KEY (name, newest_version) REFERENCES rule_versions (rule, version) DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (name, live_version) REFERENCES rule_versions (rule, version) DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (name, shadow_version) REFERENCES rule_versions (rule, version) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE rule_sets
(
    id         text        PRIMARY KEY,
    rules      jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rule_sets_used_at ON rule_sets (used_at);
COMMENT ON TABLE  rule_sets            IS 'What ran together: an engine finishes what it began with the rules that it began with';
COMMENT ON COLUMN rule_sets.id         IS 'hash of its rules';
COMMENT ON COLUMN rule_sets.rules      IS 'list of {name, version, sha256, shadow} in the order of names';
COMMENT ON COLUMN rule_sets.created_at IS 'when it first ran';
COMMENT ON COLUMN rule_sets.used_at    IS 'when an engine last said that it runs, to the hour: removed 30 days later';

CREATE TABLE lists
(
    name       text        PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('address', 'selector', 'token', 'text')),
    version    integer     NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    change     bigint      NOT NULL
);
COMMENT ON TABLE  lists            IS 'Named sets that rules refer to';
COMMENT ON COLUMN lists.name       IS 'as rules refer to it';
COMMENT ON COLUMN lists.kind       IS 'what its entries are: address, selector, token or text';
COMMENT ON COLUMN lists.version    IS 'counts its changes from 1';
COMMENT ON COLUMN lists.updated_at IS 'last change';
COMMENT ON COLUMN lists.change     IS 'changes.number of its last change';

CREATE TABLE list_entries
(
    list  text NOT NULL REFERENCES lists (name) ON DELETE CASCADE,
    entry text NOT NULL,
    PRIMARY KEY (list, entry)
);
COMMENT ON TABLE  list_entries       IS 'What is in the lists';
COMMENT ON COLUMN list_entries.list  IS 'name of the list';
COMMENT ON COLUMN list_entries.entry IS 'hex in lower case where it is hex';

CREATE TABLE audit_log
(
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text        NOT NULL,
    action  text        NOT NULL,
    subject text        NOT NULL,
    before  jsonb       NULL,
    after   jsonb       NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
COMMENT ON TABLE  audit_log         IS 'Every change, written with it';
COMMENT ON COLUMN audit_log.id      IS 'in the order of changes';
COMMENT ON COLUMN audit_log.at      IS 'when';
COMMENT ON COLUMN audit_log.who     IS 'who made it';
COMMENT ON COLUMN audit_log.action  IS 'upload, enable, disable, quarantine, release, promote, rollback, …';
COMMENT ON COLUMN audit_log.subject IS 'what was changed: rule NAME, list NAME';
COMMENT ON COLUMN audit_log.before  IS 'as it was; null: it was not there';
COMMENT ON COLUMN audit_log.after   IS 'as it is since';
