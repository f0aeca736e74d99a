/**
 * Aave V1, V2, V3 and forks: the pool's LiquidationCall says all. `liquidator` is who called the pool. Who asked for aTokens got those
 * instead of the collateral: then they are the collateral token.
 */
import { createEvent } from "../../event.ts";
import type { Address } from "../../swap.ts";
import { alike } from "../cycles.ts";
import { type Lender, type Reading, type Receipt, transferBefore } from "./lender.ts";

const v1 = createEvent("LiquidationCall", [
  "indexed address", // collateral
  "indexed address", // debt
  "indexed address", // user
  "uint256", // debt repaid, without the interest that was added
  "uint256", // collateral taken
  "uint256", // accrued interest
  "address", // liquidator
  "bool", // aTokens instead of the collateral
  "uint256", // time
]);

/** V3 kept V2's event. */
const v2 = createEvent("LiquidationCall", [
  "indexed address", // collateral
  "indexed address", // debt
  "indexed address", // user
  "uint256", // debt repaid
  "uint256", // collateral taken
  "address", // liquidator
  "bool", // aTokens instead of the collateral
]);

export const aave: readonly Lender[] = [
  {
    protocol: "aave",
    signature: v1.signature,
    topic0: "0x56864757fd5b1fc9f38f5f3a981cd8ae512ce41b902cf73fc506ee369c6bc237",
    proven: true,
    read(view, log, receipt) {
      const values = v1.read(view, log);
      if (!values) return [];
      const [collateral, debt, user, repaid, taken, , liquidator, asAToken] = values;
      return [reading(receipt, { collateral, debt, user, repaid, taken, liquidator, asAToken })];
    },
  },
  {
    protocol: "aave",
    signature: v2.signature,
    topic0: "0xe413a321e8681d831f4dbccbca790d2952b56f977908e45be37335533e005286",
    proven: true,
    read(view, log, receipt) {
      const values = v2.read(view, log);
      if (!values) return [];
      const [collateral, debt, user, repaid, taken, liquidator, asAToken] = values;
      return [reading(receipt, { collateral, debt, user, repaid, taken, liquidator, asAToken })];
    },
  },
];

interface Call {
  readonly collateral: Address;
  readonly debt: Address;
  readonly user: Address;
  readonly repaid: bigint;
  readonly taken: bigint;
  readonly liquidator: Address;
  readonly asAToken: bigint;
}

function reading(receipt: Receipt, { collateral, debt, user, repaid, taken, liquidator, asAToken }: Call): Reading {
  const received =
    asAToken === 1n
      ? transferBefore(receipt, ({ from, to, amount }) => from === user && to === liquidator && alike(amount, taken))
      : undefined;
  return {
    liquidator,
    user,
    debtToken: debt,
    debtAmount: repaid,
    collateralToken: received?.token ?? collateral,
    collateralAmount: received?.amount ?? taken,
  };
}
