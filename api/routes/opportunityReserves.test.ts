import { expect, test } from "vitest";
import type { Captured, OpportunityRow } from "../../clickhouse/queries/opportunities.ts";
import { keyOf, type Label } from "../../engine/label/label.ts";
import { toOpportunity } from "./opportunities.ts";

const [token0, token1] = [`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`];
const row = {
  ...{
    id: "ab".repeat(16),
    chain_id: "1",
    kind: "pool_imbalance",
    state_block: "7",
    block_number: "7",
    token0,
    token1,
  },
  ...{ reserve0: null, reserve0_raw: "1234500000000", reserve1: null, reserve1_raw: "5" },
  ...{
    sqrt_price_x96: "79228162514264337593543950336",
    liquidity: "7",
    exposure_token: token0,
    exposure_loss_raw: "3",
  },
} as unknown as OpportunityRow & Captured;

test("reserves are whole tokens where the engine or a label knows the decimals, the exact ones always", () => {
  const label = { chainId: 1, address: token0, name: "Oak", symbol: "OAK", decimals: 9 } as unknown as Label;
  const labelled = toOpportunity(row, new Map([[keyOf(label), label]]));
  expect(labelled).toMatchObject({
    reserve0: 1234.5,
    reserve0_raw: "1234500000000",
    reserve1: null,
    reserve1_raw: "5",
    ...{
      sqrt_price_x96: "79228162514264337593543950336",
      liquidity: "7",
      exposure_token: token0,
      exposure_loss_raw: "3",
    },
  });
  expect(labelled.pool_name).toBe("OAK-0x2222…2222");
  // what the engine knew stays: it asked the token
  expect(toOpportunity({ ...row, reserve0: 1_234_500 }, new Map([[keyOf(label), label]])).reserve0).toBe(1_234_500);
  expect(toOpportunity(row, new Map()).reserve0).toBeNull();
});
