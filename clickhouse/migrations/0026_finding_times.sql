-- As of transactions (0024) and arbitrages (0021): lists ask for the newest of all chains, and rows stand by chain first.
ALTER TABLE swaps ADD INDEX IF NOT EXISTS time_index event_time TYPE minmax GRANULARITY 1;
ALTER TABLE swaps MATERIALIZE INDEX time_index;
ALTER TABLE sandwiches ADD INDEX IF NOT EXISTS time_index event_time TYPE minmax GRANULARITY 1;
ALTER TABLE sandwiches MATERIALIZE INDEX time_index;
ALTER TABLE liquidations ADD INDEX IF NOT EXISTS time_index event_time TYPE minmax GRANULARITY 1;
ALTER TABLE liquidations MATERIALIZE INDEX time_index;
