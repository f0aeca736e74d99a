COMMENT ON COLUMN rule_versions.manifest IS 'what it says about itself, with the defaults of its parameters, as it was understood when uploaded';
COMMENT ON COLUMN rule_sets.rules        IS 'list of {name, version, sha256, shadow, parameters where they are not the defaults} in the order of names';
COMMENT ON COLUMN audit_log.action       IS 'upload, parameters, enable, disable, quarantine, release, promote, rollback, …';
COMMENT ON COLUMN modules.bytes          IS 'as uploaded; versions that differ in their parameters alone share them';
