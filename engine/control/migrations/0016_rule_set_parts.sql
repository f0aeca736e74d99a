CREATE TABLE rule_set_parts
(
    id      text        PRIMARY KEY,
    rules   jsonb       NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rule_set_parts         IS 'What rule sets consist of: a change of one rule makes one part anew, and other sets share the rest';
COMMENT ON COLUMN rule_set_parts.id      IS 'hash of its rules';
COMMENT ON COLUMN rule_set_parts.rules   IS 'list of {name, version, sha256, shadow, throttled where it is, parameters where they are not the defaults} in the order of names: those of a set whose names share a hash';
COMMENT ON COLUMN rule_set_parts.used_at IS 'when it last became part of a set: removed 30 days later, unless one has it';

ALTER TABLE rule_sets
    ALTER COLUMN rules DROP NOT NULL,
    ADD COLUMN parts text[] NULL,
    ADD CHECK ((rules IS NULL) <> (parts IS NULL));
COMMENT ON COLUMN rule_sets.rules IS 'NULL: it is in parts. Of sets from before there were any, list of {name, version, sha256, shadow, throttled where it is, parameters where they are not the defaults} in the order of names';
COMMENT ON COLUMN rule_sets.parts IS 'ids of its parts; NULL: it is whole';
COMMENT ON COLUMN rule_sets.id    IS 'hash of its rules, or of the ids of its parts';
