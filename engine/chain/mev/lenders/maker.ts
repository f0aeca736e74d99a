/**
 * Maker: a vault is put up for auction, by Dog.bark since Liquidations 2.0 (2021), by Cat.bite before. That is the liquidation; who
 * buys the collateral later is another matter. The liquidator is the keeper that the auction's Kick names, else the sender. The debt
 * is in DAI without the penalty, the collateral as much as was taken from the vault.
 */
import { logTopicAt } from "../../../frame/readFrame.ts";
import type { BlockView } from "../../blockView.ts";
import { createEvent } from "../../event.ts";
import type { Address } from "../../swap.ts";
import type { Lender, Reading, Receipt } from "./lender.ts";

const DAI: Address = "0x6b175474e89094c44da98b954eedeac495271d0f";
/** Maker's units: 10^18 a token whatever its decimals (wad), 10^45 a DAI (rad). */
const RAD_PER_UNIT = 10n ** 27n;

/** By the ilk's name up to its dash: ETH-A, ETH-B and ETH-C are all WETH. */
const COLLATERALS: Readonly<Record<string, { readonly token: Address; readonly decimals: bigint }>> = {
  ETH: { token: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", decimals: 18n },
  WBTC: { token: "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", decimals: 8n },
  WSTETH: { token: "0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0", decimals: 18n },
  USDC: { token: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", decimals: 6n },
  LINK: { token: "0x514910771af9ca656af840dff83e8264ecf986ca", decimals: 18n },
  BAT: { token: "0x0d8775f648430679a709e98d2b0cb6250d2887ef", decimals: 18n },
  YFI: { token: "0x0bc529c00c6401aef6d220be8c6ea1667f6ad93e", decimals: 18n },
  UNI: { token: "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984", decimals: 18n },
  AAVE: { token: "0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9", decimals: 18n },
  COMP: { token: "0xc00e94cb662c3520282e6f5717214004a7f26888", decimals: 18n },
  KNC: { token: "0xdd974d5c2e2928dea5f71b9825b8b646686bd200", decimals: 18n },
  ZRX: { token: "0xe41d2489571d322189246dafa5ebde1f4699f498", decimals: 18n },
  MANA: { token: "0x0f5d2fb29fb7d3cfee444a200298f468908cc942", decimals: 18n },
  MATIC: { token: "0x7d1afa7b718fb893db30a3abc0cfc608aacfebb0", decimals: 18n },
};

const bark = createEvent("Bark", [
  "indexed bytes32", // ilk
  "indexed address", // vault
  "uint256", // collateral, wad
  "uint256", // debt before interest, wad
  "uint256", // debt, rad
  "address", // auctions of this ilk
  "indexed uint256", // auction
]);
const bite = createEvent("Bite", [
  "indexed bytes32",
  "indexed address",
  "uint256",
  "uint256",
  "uint256",
  "address",
  "uint256",
]);
const kick = createEvent("Kick", [
  "indexed uint256", // auction
  "uint256", // starting price
  "uint256", // debt with penalty, rad
  "uint256", // collateral
  "indexed address", // vault
  "indexed address", // keeper
  "uint256", // keeper's reward, rad
]);

export const maker: readonly Lender[] = [
  {
    protocol: "maker",
    signature: bark.signature,
    topic0: "0x85258d09e1e4ef299ff3fc11e74af99563f022d21f3f940db982229dc2a3358c",
    proven: false,
    ledger: true,
    read(view, log, receipt) {
      const values = bark.read(view, log);
      if (!values) return [];
      const [ilk, user, collateral, , debt] = values;
      return reading(ilk, keeper(view, receipt, user) ?? receipt.sender, user, debt, collateral);
    },
  },
  {
    protocol: "maker",
    signature: bite.signature,
    topic0: "0xa716da86bc1fb6d43d1493373f34d7a418b619681cd7b90f7ea667ba1489be28",
    proven: false,
    ledger: true,
    read(view, log, receipt) {
      const values = bite.read(view, log);
      if (!values) return [];
      const [ilk, user, collateral, , debt] = values;
      return reading(ilk, receipt.sender, user, debt, collateral);
    },
  },
];

/** Nothing of an ilk whose token we do not know. */
function reading(ilk: string, liquidator: Address, user: Address, debt: bigint, collateral: bigint): Reading[] {
  const name = Buffer.from(ilk.slice(2), "hex").toString("latin1").split(/[-\0]/)[0]!;
  const known = Object.hasOwn(COLLATERALS, name) ? COLLATERALS[name] : undefined;
  if (!known) return [];
  const collateralAmount = collateral / 10n ** (18n - known.decimals);
  const debtAmount = debt / RAD_PER_UNIT;
  return [{ liquidator, user, debtToken: DAI, debtAmount, collateralToken: known.token, collateralAmount }];
}

/** Little-endian first word of Kick's topic, 0x7c5bfdc0a5e8192f6cd4972f382cec69116862fb62e6abff8003874c58e064b8. */
const KICK_PREFIX = 0xc0fd5b7c;

function keeper(view: BlockView, { logs }: Receipt, user: Address): Address | undefined {
  for (const log of logs) {
    if (view.u32[logTopicAt(log, 0) >> 2] !== KICK_PREFIX) continue;
    const values = kick.read(view, log);
    if (values?.[4] === user) return values[5];
  }
  return undefined;
}
