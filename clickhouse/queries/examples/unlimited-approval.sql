-- What the example rule unlimited-approval alerts on. Arguments are words of 32 bytes behind the selector, counted from byte 5;
-- a word that is cut off is no argument of the largest amount.
WITH
    lower(hex(substring(input, 1, 4))) AS selector,
    unhex(repeat('ff', 32)) AS unlimited
SELECT count() AS alerts
FROM transactions
WHERE (selector IN ('095ea7b3', '39509351') AND substring(input, 37, 32) = unlimited)
   -- permit(address,address,uint256,uint256,uint8,bytes32,bytes32)
   OR (selector = 'd505accf' AND substring(input, 69, 32) = unlimited)
   -- DAI's permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32): all or nothing
   OR (selector = '8fcbaf0c'
       AND length(input) >= 164 AND substring(input, 133, 32) != unhex(repeat('00', 32)))
