-- What the example rule watched-address alerts on: the address sends, is called, or tokens move from or to it.
WITH
    unhex('28c6c06298d514db089934071355e5743bf21d60') AS watched,
    -- Transfer(address,address,uint256)
    unhex('ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef') AS transfer
SELECT count() AS alerts
FROM transactions
WHERE from_address = watched
   OR ifNull(to_address = watched, 0)
   OR arrayExists(topics -> length(topics) >= 3 AND topics[1] = transfer
        AND (substring(topics[2], 13) = watched OR substring(topics[3], 13) = watched), log_topics)
