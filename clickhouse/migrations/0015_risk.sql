-- How risky a transaction is, by itself and its block (engine/chain/risk/factors.ts has the factors, their points and why).
ALTER TABLE transactions
    ADD COLUMN IF NOT EXISTS risk         Nullable(UInt8) COMMENT '0 to 100: the sum of the points of its factors; NULL where it was not computed' CODEC(ZSTD(1)) AFTER present,
    ADD COLUMN IF NOT EXISTS risk_factors UInt32          COMMENT 'bits: 1 known_bad, 2 proxy_change, 4 unlimited_approval, 8 approval_for_all, 16 sandwich_exposure, 32 ownership_change, 64 fresh_contract, 128 value_outlier, 256 gas_outlier, 512 unverified_selector' CODEC(T64, ZSTD(1)) AFTER risk;
