/**
 * Morpho: Blue keeps its markets' tokens behind an id, so they are those of the transfers of exactly the amounts that the log has, from
 * the liquidator to Morpho and back. The optimizers above Aave and Compound name the pools' tokens, of which the same is asked.
 *
 * Euler: V1 counts in 18 decimals whatever the tokens'; V2's vault names neither of its tokens: debt is counted in the vault's asset.
 */
import { createEvent } from "../../event.ts";
import type { Address } from "../../swap.ts";
import { type Lender, type Receipt, transferAround } from "./lender.ts";

const blue = createEvent("Liquidate", [
  "indexed bytes32", // market
  "indexed address", // liquidator
  "indexed address", // user
  "uint256", // debt repaid
  "uint256", // the same in shares
  "uint256", // collateral taken
  "uint256", // bad debt
  "uint256", // the same in shares
]);
const optimizer = createEvent("Liquidated", [
  "address", // liquidator
  "indexed address", // user
  "indexed address", // pool token of the debt
  "uint256", // debt repaid
  "indexed address", // pool token of the collateral
  "uint256", // collateral taken
]);
const eulerV1 = createEvent("Liquidation", [
  "indexed address", // liquidator
  "indexed address", // user
  "indexed address", // debt
  "address", // collateral
  "uint256", // debt repaid
  "uint256", // collateral taken
  "uint256", // health
  "uint256", // discounts
  "uint256",
]);
const eulerV2 = createEvent("Liquidate", [
  "indexed address", // liquidator
  "indexed address", // user
  "address", // the collateral's vault
  "uint256", // debt repaid
  "uint256", // shares of the collateral's vault
]);

/** The token of which exactly this much went from one to the other. */
const tokenOf = (receipt: Receipt, from: Address, to: Address, amount: bigint): Address | undefined =>
  transferAround(
    receipt,
    (transfer) =>
      transfer.from === from && transfer.to === to && transfer.amount === amount && transfer.kind === "erc20",
  )?.token;

export const others: readonly Lender[] = [
  {
    protocol: "morpho_blue",
    signature: blue.signature,
    topic0: "0xa4946ede45d0c6f06a0f5ce92c9ad3b4751452d2fe0e25010783bcab57a67e41",
    proven: true,
    read(view, log, receipt) {
      const values = blue.read(view, log);
      if (!values) return [];
      const [, liquidator, user, debtAmount, , collateralAmount] = values;
      const debtToken = tokenOf(receipt, liquidator, receipt.contract, debtAmount);
      const collateralToken = tokenOf(receipt, receipt.contract, liquidator, collateralAmount);
      if (!debtToken || !collateralToken) return [];
      return [{ liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount }];
    },
  },
  {
    protocol: "morpho",
    signature: optimizer.signature,
    topic0: "0xc2c75a73164c2efcbb9f74bfa511cd0866489d90687831a7217b3dbeeb697088",
    proven: false,
    read(view, log, receipt) {
      const values = optimizer.read(view, log);
      if (!values) return [];
      const [liquidator, user, debtPool, debtAmount, collateralPool, collateralAmount] = values;
      const debtToken = tokenOf(receipt, liquidator, receipt.contract, debtAmount) ?? debtPool;
      const collateralToken = tokenOf(receipt, receipt.contract, liquidator, collateralAmount) ?? collateralPool;
      return [{ liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount }];
    },
  },
  {
    protocol: "euler_v1",
    signature: eulerV1.signature,
    topic0: "0xbba0f1d6fb8b9abe2bbc543b7c13d43faba91c6f78da4700381c94041ac7267d",
    proven: false,
    read(view, log) {
      const values = eulerV1.read(view, log);
      if (!values) return [];
      const [liquidator, user, debtToken, collateralToken, debtAmount, collateralAmount] = values;
      const doubt = "its amounts have 18 decimals, whatever the tokens have";
      return [{ liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount, doubt }];
    },
  },
  {
    protocol: "euler_v2",
    signature: eulerV2.signature,
    topic0: "0x8246cc71ab01533b5bebc672a636df812f10637ad720797319d5741d5ebb3962",
    proven: false,
    read(view, log, { contract }) {
      const values = eulerV2.read(view, log);
      if (!values) return [];
      const [liquidator, user, collateralToken, debtAmount, collateralAmount] = values;
      const doubt = "its debt token is the vault, whose asset is counted; its collateral is in shares";
      return [{ liquidator, user, debtToken: contract, debtAmount, collateralToken, collateralAmount, doubt }];
    },
  },
];
