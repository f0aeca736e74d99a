-- Every half second it is asked which blocks channels were told of in the last day.
CREATE INDEX notifications_told ON notifications (created_at)
    WHERE kind = 'alert' AND state IN ('delivered', 'sending', 'waiting') AND alert->>'block_hash' IS NOT NULL;
