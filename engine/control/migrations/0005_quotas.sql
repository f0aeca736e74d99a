ALTER TABLE rules
    DROP CONSTRAINT rules_state_check,
    ADD CONSTRAINT rules_state_check CHECK (state IN ('draft', 'shadow', 'live', 'disabled', 'quarantined', 'throttled')),
    ADD COLUMN since timestamptz NOT NULL DEFAULT now();
UPDATE rules SET since = updated_at;
COMMENT ON COLUMN rules.state     IS 'draft, shadow, live, disabled, quarantined or throttled: the last three keep what would run';
COMMENT ON COLUMN rules.reason    IS 'why it is disabled, quarantined or throttled';
COMMENT ON COLUMN rules.since     IS 'when it came into its state';
COMMENT ON COLUMN rule_sets.rules IS 'list of {name, version, sha256, shadow, throttled where it is, parameters where they are not the defaults} in the order of names';

CREATE TABLE owner_quotas
(
    owner           text        PRIMARY KEY,
    max_rules       integer     NULL CHECK (max_rules >= 0),
    fuel_per_second bigint      NULL CHECK (fuel_per_second > 0),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  owner_quotas                 IS 'Owners of rules that may have more, or less, than others';
COMMENT ON COLUMN owner_quotas.owner           IS 'as in rules';
COMMENT ON COLUMN owner_quotas.max_rules       IS 'rules that run at most; null: as configured';
COMMENT ON COLUMN owner_quotas.fuel_per_second IS 'fuel for a second of the stream at most, in one engine; null: as configured';
COMMENT ON COLUMN owner_quotas.updated_at      IS 'last change';
COMMENT ON COLUMN audit_log.action  IS 'upload, parameters, enable, disable, quarantine, throttle, release, promote, rollback, quota, …';
COMMENT ON COLUMN audit_log.subject IS 'what was changed: rule NAME, list NAME, owner NAME';
