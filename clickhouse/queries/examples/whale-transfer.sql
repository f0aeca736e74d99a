-- What the example rule whale-transfer alerts on: 100 of the chain's own coin or more, unless it failed.
SELECT count() AS alerts
FROM transactions
WHERE value >= 100000000000000000000 AND ifNull(status, 1) = 1
