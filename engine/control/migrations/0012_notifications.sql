CREATE TABLE notification_channels
(
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    kind       text        NOT NULL CHECK (kind IN ('telegram', 'discord', 'slack', 'email', 'webhook')),
    settings   jsonb       NOT NULL,
    sealed     text        NOT NULL,
    policy     jsonb       NOT NULL,
    owner      text        NOT NULL,
    enabled    boolean     NOT NULL DEFAULT true,
    reason     text        NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  notification_channels            IS 'Where alerts are told: a chat, a mailbox, a URL';
COMMENT ON COLUMN notification_channels.id         IS 'in the order in which they were made';
COMMENT ON COLUMN notification_channels.name       IS 'unique';
COMMENT ON COLUMN notification_channels.kind       IS 'the service';
COMMENT ON COLUMN notification_channels.settings   IS 'of the service, without secrets';
COMMENT ON COLUMN notification_channels.sealed     IS 'its secret settings as JSON, encrypted';
COMMENT ON COLUMN notification_channels.policy     IS 'which alerts, when, and as which text';
COMMENT ON COLUMN notification_channels.owner      IS 'who made it';
COMMENT ON COLUMN notification_channels.enabled    IS 'false: nothing is put in for it';
COMMENT ON COLUMN notification_channels.reason     IS 'why it was disabled, when its service refused for good';
COMMENT ON COLUMN notification_channels.created_at IS 'when';
COMMENT ON COLUMN notification_channels.updated_at IS 'last change';

CREATE TABLE notification_positions
(
    source      text        NOT NULL,
    partition   integer     NOT NULL,
    next_offset bigint      NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, partition)
);
COMMENT ON TABLE  notification_positions             IS 'Up to where alerts of a source have been put in; moves in one transaction with what is put in';
COMMENT ON COLUMN notification_positions.source      IS 'as in ClickHouse';
COMMENT ON COLUMN notification_positions.partition   IS 'of the source; -1: the row that whoever reads it locks';
COMMENT ON COLUMN notification_positions.next_offset IS 'alerts below it are in, or were before there were notifications';
COMMENT ON COLUMN notification_positions.updated_at  IS 'when';

CREATE TABLE notifications
(
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      bigint      NOT NULL REFERENCES notification_channels (id) ON DELETE CASCADE,
    recipient    text        NOT NULL,
    kind         text        NOT NULL,
    subject      text        NOT NULL,
    alert        jsonb       NULL,
    trouble      text        NULL,
    dedup_key    text        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'suppressed', 'dead')),
    together     boolean     NOT NULL,
    due_at       timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    message_id   text        NULL,
    leased_until timestamptz NULL,
    reason       text        NULL,
    ref          text        NULL,
    answer       text        NULL,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz NULL,
    acknowledged text        NULL,
    UNIQUE (channel, recipient, kind, subject)
);
CREATE INDEX notifications_due     ON notifications (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX notifications_keys    ON notifications (channel, dedup_key, created_at);
CREATE INDEX notifications_sent    ON notifications (channel, sent_at) WHERE state = 'delivered';
CREATE INDEX notifications_subject ON notifications (subject);
COMMENT ON TABLE  notifications              IS 'What each channel is to be told, and what became of it: the outbox and its receipts';
COMMENT ON COLUMN notifications.id           IS 'in the order in which they were put in';
COMMENT ON COLUMN notifications.channel      IS 'where';
COMMENT ON COLUMN notifications.recipient    IS 'address of mail, chat; empty where a channel has one recipient';
COMMENT ON COLUMN notifications.kind         IS 'alert, retraction, escalation, trouble, test';
COMMENT ON COLUMN notifications.subject      IS 'id of the alert, or what else it is of: a channel is told once';
COMMENT ON COLUMN notifications.alert        IS 'as it was when it was put in';
COMMENT ON COLUMN notifications.trouble      IS 'of kind trouble: what is wrong';
COMMENT ON COLUMN notifications.dedup_key    IS 'two of the same key within the window are one';
COMMENT ON COLUMN notifications.state        IS 'suppressed: reason says why it is not sent; dead: given up';
COMMENT ON COLUMN notifications.together     IS 'sent in one message with the others that are due then';
COMMENT ON COLUMN notifications.due_at       IS 'not before';
COMMENT ON COLUMN notifications.attempts     IS 'so far';
COMMENT ON COLUMN notifications.message_id   IS 'of the message it is in, the same for each attempt; several may be in one';
COMMENT ON COLUMN notifications.leased_until IS 'a sender that is at it has until then; whoever finds it later sends it again';
COMMENT ON COLUMN notifications.reason       IS 'why it is suppressed, dead or late';
COMMENT ON COLUMN notifications.ref          IS 'what the service calls the message';
COMMENT ON COLUMN notifications.answer       IS 'what the service answered';
COMMENT ON COLUMN notifications.created_at   IS 'put in';
COMMENT ON COLUMN notifications.sent_at      IS 'delivered';
COMMENT ON COLUMN notifications.acknowledged IS 'who took note of it: it is not escalated';

CREATE TABLE notification_silences
(
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rules      jsonb       NOT NULL,
    chains     jsonb       NOT NULL,
    addresses  jsonb       NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    comment    text        NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  notification_silences            IS 'Alerts that nobody is to be told of for a while; they are stored and listed all the same';
COMMENT ON COLUMN notification_silences.id         IS 'in the order in which they were made';
COMMENT ON COLUMN notification_silences.rules      IS 'names, * at the end for any; empty: all';
COMMENT ON COLUMN notification_silences.chains     IS 'chain ids; empty: all';
COMMENT ON COLUMN notification_silences.addresses  IS 'senders or recipients of the transaction; empty: all';
COMMENT ON COLUMN notification_silences.starts_at  IS 'from';
COMMENT ON COLUMN notification_silences.ends_at    IS 'until, exclusive';
COMMENT ON COLUMN notification_silences.comment    IS 'why';
COMMENT ON COLUMN notification_silences.created_by IS 'who';
COMMENT ON COLUMN notification_silences.created_at IS 'when';
