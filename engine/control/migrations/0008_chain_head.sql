-- Without it nobody but the watcher knows how far behind it is.
ALTER TABLE chain_coverage ADD COLUMN head_block bigint NULL;
COMMENT ON COLUMN chain_coverage.head_block IS 'newest block that a node had named when the last was put; NULL: of before it was noted';
