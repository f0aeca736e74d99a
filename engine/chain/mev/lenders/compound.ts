/**
 * Compound V2 and forks (Cream, Venus, Benqi …): the market (cToken) that was repaid says LiquidateBorrow. Its underlying is what the
 * liquidator sent it; who sent no token paid in the native coin. The collateral is in cTokens: what the liquidator got of them, which
 * is less than was seized where the market keeps a share.
 *
 * Compound V3: an absorber triggers that the protocol takes a whole account over: one AbsorbDebt in the base token, after one
 * AbsorbCollateral a collateral. One liquidation each, with the debt split by the collaterals' value in USD as the events have it.
 */
import { logTopicAt } from "../../../frame/readFrame.ts";
import type { BlockView } from "../../blockView.ts";
import { createEvent } from "../../event.ts";
import { type Address, NATIVE } from "../../swap.ts";
import { CREAM_MARKETS } from "./cream.ts";
import { type Lender, type Receipt, transferAround, transferBefore } from "./lender.ts";

const liquidateBorrow = createEvent("LiquidateBorrow", ["address", "address", "uint256", "address", "uint256"]);
const absorbDebt = createEvent("AbsorbDebt", ["indexed address", "indexed address", "uint256", "uint256"]);
const absorbCollateral = createEvent("AbsorbCollateral", [
  "indexed address", // absorber
  "indexed address", // borrower
  "indexed address", // asset
  "uint256", // amount
  "uint256", // its value in USD, 8 decimals
]);

/** Base tokens of the markets (comets) on chains that we know: the event does not say. */
const BASE_TOKENS: Readonly<Record<Address, Address>> = {
  "0xc3d688b66703497daa19211eedff47f25384cdc3": "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", // Ethereum, USDC
  "0xa17581a9e3356d9a858b789d68b4d866e593ae94": "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", // Ethereum, WETH
  "0x3afdc9bca9213a35503b077a6072f3d0d5ab0840": "0xdac17f958d2ee523a2206206994597c13d831ec7", // Ethereum, USDT
  "0xf25212e676d1f7f89cd72ffee66158f541246445": "0x2791bca1f2de4661ed88a30c99a7a9449aa84174", // Polygon, USDC.e
  "0xa5edbdd9646f8dff606d7448e414884c7d905dca": "0xff970a61a04b1ca14834a43f5de4533ebddb5cc8", // Arbitrum, USDC.e
  "0x9c4ec768c28520b50860ea7a15bd7213a9ff58bf": "0xaf88d065e77c8cc2239327c5edb3a432268e5831", // Arbitrum, USDC
  "0xb125e6687d4313864e53df431d5425969c15eb2f": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", // Base, USDC
  "0x46e6b214b524310239732d51387075e0e70970bf": "0x4200000000000000000000000000000000000006", // Base, WETH
};

export const compound: readonly Lender[] = [
  {
    protocol: "compound_v2",
    signature: liquidateBorrow.signature,
    topic0: "0x298637f684da70674f26509b10f07ec2fbc77a335ab1e7d6215a4b2484d8bb52",
    proven: true,
    read(view, log, receipt) {
      const values = liquidateBorrow.read(view, log);
      if (!values) return [];
      const [liquidator, user, debtAmount, collateralToken, seized] = values;
      const { contract } = receipt;
      const repaid = transferBefore(
        receipt,
        ({ from, to, kind }) => from === liquidator && to === contract && kind === "erc20",
      );
      const got = transferAround(
        receipt,
        ({ token, from, to }) => token === collateralToken && from === user && to === liquidator,
      );
      return [
        {
          ...(CREAM_MARKETS.has(contract) && { protocol: "cream" }),
          liquidator,
          user,
          debtToken: repaid?.token ?? NATIVE,
          debtAmount,
          collateralToken,
          collateralAmount: got?.amount ?? seized,
        },
      ];
    },
  },
  {
    protocol: "compound_v3",
    signature: absorbDebt.signature,
    topic0: "0x1547a878dc89ad3c367b6338b4be6a65a5dd74fb77ae044da1e8747ef1f4f62f",
    proven: false,
    ledger: true,
    read(view, log, receipt) {
      const values = absorbDebt.read(view, log);
      const debtToken = BASE_TOKENS[receipt.contract];
      if (!values || debtToken === undefined) return [];
      const [liquidator, user, paid] = values;
      const collaterals = absorbedBefore(view, log, receipt, user);
      const total = collaterals.reduce((sum, { value }) => sum + value, 0n);
      return collaterals.map(({ asset, amount, value }) => ({
        liquidator,
        user,
        debtToken,
        debtAmount: total === 0n ? paid : (paid * value) / total,
        collateralToken: asset,
        collateralAmount: amount,
      }));
    },
  },
];

/** The AbsorbCollateral logs of the same market and borrower, back to its debt before. */
function absorbedBefore(view: BlockView, log: number, { logs, position }: Receipt, user: Address) {
  const collaterals: { asset: Address; amount: bigint; value: bigint }[] = [];
  const topicOf = (at: number): number => view.u32[logTopicAt(at, 0) >> 2]!;
  for (let i = position - 1; i >= 0 && topicOf(logs[i]!) !== topicOf(log); i--) {
    if (topicOf(logs[i]!) !== ABSORB_COLLATERAL_PREFIX) continue;
    const values = absorbCollateral.read(view, logs[i]!);
    if (values?.[1] === user) collaterals.unshift({ asset: values[2], amount: values[3], value: values[4] });
  }
  return collaterals;
}

/** 0x9850ab1af75177e4a9201c65a2cf7976d5d28e40ef63494b44366f86b2f9412e: its first four bytes as a little-endian word. */
const ABSORB_COLLATERAL_PREFIX = 0x1aab5098;
