-- What the example rule failed-router-call alerts on: reverted, and sent to a known router or with a router's swap selector.
SELECT count() AS alerts
FROM transactions
WHERE status = 0
  AND (lower(hex(to_address)) IN (
        '7a250d5630b4cf539739df2c5dacb4c659f2488d',
        'e592427a0aece92de3edee1f18e0157c05861564',
        '68b3465833fb72a70ecdf485e0e4c7bd8665fc45',
        'ef1c6e67703c7bd7107eed8303fbe6ec2554bf6b',
        '3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad',
        '66a9893cc07d91d95644aedd05d03f95e1dba8af',
        'd9e1ce17f2641f24ae83637ab66a2cca9c378b9f',
        '11111112542d85b3ef69ae05771c2dccff4faa26',
        '1111111254fb6c44bac0bed2854e76f90643097d',
        '1111111254eeb25477b68fb85ed929f73a960582',
        '111111125421ca6dc452d289314280a0f8842a65',
        'def1c0ded9bec7f1a1670819833240f027b25eff'
    )
    OR lower(hex(substring(input, 1, 4))) IN (
        '7ff36ab5',
        '18cbafe5',
        '38ed1739',
        'fb3bdb41',
        '4a25d94a',
        '8803dbee',
        'b6f9de95',
        '791ac947',
        '5c11d795',
        '414bf389',
        'c04b8d59',
        'db3e2198',
        'f28c0498',
        '3593564c'
    ))
