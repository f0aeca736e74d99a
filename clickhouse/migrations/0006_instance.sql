CREATE TABLE IF NOT EXISTS weir_instance
(
    id UUID COMMENT 'name of the running process: the table is empty again once it has stopped'
)
ENGINE = Memory
COMMENT 'Names the running process of the store, for tokens of inserts';
