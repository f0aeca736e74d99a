CREATE TABLE users
(
    id                  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username            text        NOT NULL UNIQUE,
    password_hash       text        NULL,
    role                text        NOT NULL CHECK (role IN ('viewer', 'user', 'admin')),
    disabled            boolean     NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    last_login_at       timestamptz NULL,
    removed_at          timestamptz NULL
);
COMMENT ON TABLE  users                     IS 'Who may ask. One that was removed stays, without a password: what it made has its name, which nobody else may take';
COMMENT ON COLUMN users.id                  IS 'in the order in which they were added';
COMMENT ON COLUMN users.username            IS 'lower case; the owner of rules and lists, and who in audit_log';
COMMENT ON COLUMN users.password_hash       IS 'argon2id; null: removed';
COMMENT ON COLUMN users.role                IS 'viewer: reads; user: also changes what is its own; admin: everything';
COMMENT ON COLUMN users.disabled            IS 'nothing of it is accepted, and all of it is kept';
COMMENT ON COLUMN users.created_at          IS 'when';
COMMENT ON COLUMN users.updated_at          IS 'last change';
COMMENT ON COLUMN users.password_changed_at IS 'when';
COMMENT ON COLUMN users.last_login_at       IS 'when it last gave its password';
COMMENT ON COLUMN users.removed_at          IS 'null: it is there';

CREATE TABLE login_failures
(
    username     text        PRIMARY KEY,
    failures     integer     NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz NOT NULL
);
CREATE INDEX login_failures_last_at ON login_failures (last_at);
COMMENT ON TABLE  login_failures              IS 'Names that were given with a wrong password, whether there are such users or not: so that an answer does not say which';
COMMENT ON COLUMN login_failures.username     IS 'lower case';
COMMENT ON COLUMN login_failures.failures     IS 'since the last success, or a day of quiet';
COMMENT ON COLUMN login_failures.last_at      IS 'when; removed a day later';
COMMENT ON COLUMN login_failures.locked_until IS 'until then no password is looked at';

CREATE TABLE sessions
(
    id         text        PRIMARY KEY,
    user_id    bigint      NOT NULL REFERENCES users (id),
    rotation   integer     NOT NULL DEFAULT 0,
    ip         text        NULL,
    user_agent text        NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz NULL,
    end_reason text        NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
COMMENT ON TABLE  sessions            IS 'Logins: a family of refresh tokens, of which the last alone is valid. Kept for 30 days after their end';
COMMENT ON COLUMN sessions.id         IS 'random; in the tokens';
COMMENT ON COLUMN sessions.user_id    IS 'whose';
COMMENT ON COLUMN sessions.rotation   IS 'number of the valid refresh token: a lower one has been used, so somebody has a copy';
COMMENT ON COLUMN sessions.ip         IS 'where the login came from';
COMMENT ON COLUMN sessions.user_agent IS 'what it said it is';
COMMENT ON COLUMN sessions.created_at IS 'login';
COMMENT ON COLUMN sessions.used_at    IS 'last refresh';
COMMENT ON COLUMN sessions.expires_at IS 'of the valid refresh token';
COMMENT ON COLUMN sessions.ended_at   IS 'null: it was not ended before it expired';
COMMENT ON COLUMN sessions.end_reason IS 'logout, reuse, password, user or admin';

CREATE TABLE api_keys
(
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      bigint      NOT NULL REFERENCES users (id),
    name         text        NOT NULL,
    prefix       text        NOT NULL UNIQUE,
    hash         bytea       NOT NULL,
    role         text        NOT NULL CHECK (role IN ('viewer', 'user', 'admin')),
    allow_ips    jsonb       NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NULL,
    revoked_at   timestamptz NULL,
    last_used_at timestamptz NULL,
    last_ip      text        NULL,
    uses         bigint      NOT NULL DEFAULT 0
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);
COMMENT ON TABLE  api_keys              IS 'Keys of users, for programs. The key itself is shown once, when it is made';
COMMENT ON COLUMN api_keys.id           IS 'in the order in which they were made';
COMMENT ON COLUMN api_keys.user_id      IS 'whose: nothing it cannot do, its keys can';
COMMENT ON COLUMN api_keys.name         IS 'what it is for';
COMMENT ON COLUMN api_keys.prefix       IS 'its beginning, by which people and we find it';
COMMENT ON COLUMN api_keys.hash         IS 'sha256 of all of it: 256 random bits need no slow hash';
COMMENT ON COLUMN api_keys.role         IS 'what it may do at most';
COMMENT ON COLUMN api_keys.allow_ips    IS 'list of addresses and CIDR blocks it is accepted from; null: from anywhere';
COMMENT ON COLUMN api_keys.created_at   IS 'when';
COMMENT ON COLUMN api_keys.expires_at   IS 'null: never';
COMMENT ON COLUMN api_keys.revoked_at   IS 'null: it was not';
COMMENT ON COLUMN api_keys.last_used_at IS 'to some seconds';
COMMENT ON COLUMN api_keys.last_ip      IS 'where it was last used from';
COMMENT ON COLUMN api_keys.uses         IS 'requests, to some seconds';

ALTER TABLE audit_log
    ADD COLUMN ip  text NULL,
    ADD COLUMN via text NULL;
CREATE INDEX audit_log_who ON audit_log (who, id);
CREATE INDEX audit_log_at ON audit_log (at);
COMMENT ON COLUMN audit_log.action  IS 'upload, parameters, enable, disable, quarantine, throttle, release, promote, rollback, quota, login, …';
COMMENT ON COLUMN audit_log.subject IS 'what was changed: rule NAME, list NAME, owner NAME, user NAME, key PREFIX, session ID';
COMMENT ON COLUMN audit_log.ip      IS 'where the request came from; null: it was no request';
COMMENT ON COLUMN audit_log.via     IS 'how they showed who they are: session ID, key PREFIX, token, certificate; null: it was no request';
