import type { LayoutName } from "../protocols/layouts.ts";
import type { Address } from "../swap.ts";

/** A registry as plain data: what is built in, and what WEIR_REGISTRY's file holds. Addresses and topics in lower case. */
export interface RegistryData {
  readonly chains?: readonly ChainData[];
  /** Signatures of routers' methods that swap, by selector. */
  readonly methods?: Readonly<Record<string, string>>;
  readonly protocols?: readonly ProtocolData[];
}

export interface ChainData {
  readonly id: number;
  readonly name?: string;
  /** Symbol of its coin: ETH, BNB … */
  readonly nativeToken?: string;
  /** The wrapped coin (WETH, WBNB …). */
  readonly wrapped?: Address;
  /** USD of its coin, where a block's own pools do not tell. */
  readonly nativeUsd?: number;
  /** Seconds from block to block. */
  readonly blockSeconds?: number;
  /** Tokens that are meant to be worth a dollar: their decimals. */
  readonly stableCoins?: Readonly<Record<Address, number>>;
  /** Names of routers. */
  readonly routers?: Readonly<Record<Address, string>>;
  /** Factories of pools of Uniswap V2's kind that all take one fee. */
  readonly v2Factories?: Readonly<Record<Address, V2FactoryData>>;
  /** Factories of pools of Uniswap V3's kind. */
  readonly v3Factories?: Readonly<Record<Address, V3FactoryData>>;
  /** Pools of Uniswap V2's kind that are looked at after each block, whether they traded or not: addresses by name. */
  readonly pools?: Readonly<Record<string, Address>>;
  /** Multicall3, where it is deployed: many calls of a node in one. */
  readonly multicall?: Address;
}

export interface V2FactoryData {
  /** As people know the venue. */
  readonly name: string;
  /** What of an input counts, in ten thousandths: 9,970 leaves the pool 0.3 %. */
  readonly keep: number;
  /** Its routers: what they trade through pools of this kind they trade through its pools. */
  readonly routers: readonly Address[];
}

export interface V3FactoryData {
  /** As people know the venue. */
  readonly name: string;
  /** Of the fees that its pools may take, in hundredths of a bip, how many ticks lie between those that may have liquidity. */
  readonly tickSpacings: Readonly<Record<string, number>>;
  /** Its routers: what they trade through pools of this kind they trade through its pools. */
  readonly routers: readonly Address[];
}

/** A kind of log by which pools say that they traded. */
export interface ProtocolData {
  readonly name: string;
  /** First topic of the logs. */
  readonly topic0: string;
  /** What stands in them, and what they mean. */
  readonly layout: LayoutName;
  /** The protocol's own contracts, where one holds all pools: what they log needs no other proof. */
  readonly contracts?: readonly Address[];
}
