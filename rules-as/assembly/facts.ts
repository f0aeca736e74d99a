// Generated from engine/chain/facts/schema.ts by `npm run frame:generate`: do not edit.
import { Address, Bytes32 } from "./bytes";
import { Entries, nameAt, nameIs } from "./entries";
import { U256 } from "./u256";

export const FACTS_VERSION: u32 = 1;
/** Of a frame's `present`. */
export const FACTS_BIT: u32 = 1073741824;

// Byte offsets within the facts header
export const FACTS_flags: usize = 8;
export const FACTS_risk: usize = 12;
export const FACTS_swapCount: usize = 16;
export const PART_of_swap: usize = 24;
export const PART_of_arbitrage: usize = 36;
export const PART_of_sandwich: usize = 48;
export const PART_of_liquidation: usize = 60;
export const PART_of_jit: usize = 72;

// Byte offsets within a part
export const PART_at: usize = 0;
export const PART_count: usize = 4;
export const PART_stride: usize = 8;

// Bits of `flags`
export const FLAG_arbitrage: u32 = 1;
export const FLAG_routerArbitrage: u32 = 2;
export const FLAG_sandwich: u32 = 4;
export const FLAG_liquidation: u32 = 8;
export const FLAG_jit: u32 = 16;
export const FLAG_failedAttempt: u32 = 32;

/** How sure JIT liquidity is: low, medium, high. */
export enum Confidence {
  None = 0,
  Low = 1,
  Medium = 2,
  High = 3,
}

/** Part in a sandwich: frontrun, victim, backrun. */
export enum SandwichRole {
  None = 0,
  Frontrun = 1,
  Victim = 2,
  Backrun = 3,
}

/** Part in JIT liquidity: mint, swap, burn. */
export enum JitRole {
  None = 0,
  Mint = 1,
  Swap = 2,
  Burn = 3,
}

/** A pool received one token and paid out another. */
@unmanaged
export class Swap {
  /** How sure a swap is: low, medium, high. */
  get confidence(): Confidence {
    return <Confidence>load<u32>(changetype<usize>(this) + 4);
  }

  /** Of the log that says so. */
  get logIndex(): u32 {
    return load<u32>(changetype<usize>(this) + 8);
  }

  /** Protocol of a swap: uniswap_v2, uniswap_v3, curve …. */
  get protocol(): string {
    return nameAt(changetype<usize>(this) + 12);
  }

  /** Is the protocol this one? Without making a text of it. */
  protocolIs(name: string): bool {
    return nameIs(changetype<usize>(this) + 12, name);
  }

  /** Contract of a swap's pool; of one that has an id the id's first 20 bytes, which of Balancer V2 are its contract. */
  get pool(): Address {
    return changetype<Address>(changetype<usize>(this) + 44);
  }

  /** Id of a swap's pool: Uniswap V4, Balancer V2. */
  get poolId(): Bytes32 {
    return changetype<Bytes32>(changetype<usize>(this) + 64);
  }

  /** Is poolId known. */
  get hasPoolId(): bool {
    return (load<u32>(changetype<usize>(this)) & 1) != 0;
  }

  /** Who paid a swap's pool. */
  get from(): Address {
    return changetype<Address>(changetype<usize>(this) + 96);
  }

  /** Who was paid by a swap's pool. */
  get to(): Address {
    return changetype<Address>(changetype<usize>(this) + 116);
  }

  /** Token that a pool received in a swap. */
  get tokenIn(): Address {
    return changetype<Address>(changetype<usize>(this) + 136);
  }

  /** Token that a pool paid out in a swap. */
  get tokenOut(): Address {
    return changetype<Address>(changetype<usize>(this) + 156);
  }

  /** How much a pool received in a swap, in the token's smallest unit. */
  get amountIn(): U256 {
    return changetype<U256>(changetype<usize>(this) + 176);
  }

  /** How much a pool paid out in a swap. */
  get amountOut(): U256 {
    return changetype<U256>(changetype<usize>(this) + 208);
  }
}

/** A closed route of swaps of one account. */
@unmanaged
export class Arbitrage {
  /** How sure an arbitrage is: low, medium, high. */
  get confidence(): Confidence {
    return <Confidence>load<u32>(changetype<usize>(this) + 4);
  }

  /** Of the log that says so. */
  get logIndex(): u32 {
    return load<u32>(changetype<usize>(this) + 8);
  }

  /** Swaps of an arbitrage's route. */
  get hops(): u32 {
    return load<u32>(changetype<usize>(this) + 12);
  }

  /** Whose arbitrage it is. */
  get account(): Address {
    return changetype<Address>(changetype<usize>(this) + 16);
  }

  /** Token that an arbitrage begins and ends with. */
  get token(): Address {
    return changetype<Address>(changetype<usize>(this) + 36);
  }

  /** How much went into an arbitrage. */
  get start(): U256 {
    return changetype<U256>(changetype<usize>(this) + 56);
  }

  /** How much came back from an arbitrage. */
  get end(): U256 {
    return changetype<U256>(changetype<usize>(this) + 88);
  }

  /** What an arbitrage earned before gas; absent if less than nothing. */
  get profit(): U256 {
    return changetype<U256>(changetype<usize>(this) + 120);
  }

  /** Is profit known. */
  get hasProfit(): bool {
    return (load<u32>(changetype<usize>(this)) & 1) != 0;
  }

  /** What an arbitrage lost before gas; absent if nothing. */
  get loss(): U256 {
    return changetype<U256>(changetype<usize>(this) + 152);
  }

  /** Is loss known. */
  get hasLoss(): bool {
    return (load<u32>(changetype<usize>(this)) & 2) != 0;
  }
}

/** The transaction's part in a sandwich. */
@unmanaged
export class Sandwich {
  /** How sure a sandwich is: low, medium, high. */
  get confidence(): Confidence {
    return <Confidence>load<u32>(changetype<usize>(this) + 4);
  }

  /** Part in a sandwich: frontrun, victim, backrun. */
  get role(): SandwichRole {
    return <SandwichRole>load<u32>(changetype<usize>(this) + 8);
  }

  /** Protocol of a sandwich's pool. */
  get protocol(): string {
    return nameAt(changetype<usize>(this) + 12);
  }

  /** Is the protocol this one? Without making a text of it. */
  protocolIs(name: string): bool {
    return nameIs(changetype<usize>(this) + 12, name);
  }

  /** Contract of a sandwich's pool; of one that has an id the id's first 20 bytes, which of Balancer V2 are its contract. */
  get pool(): Address {
    return changetype<Address>(changetype<usize>(this) + 44);
  }

  /** Id of a sandwich's pool: Uniswap V4, Balancer V2. */
  get poolId(): Bytes32 {
    return changetype<Bytes32>(changetype<usize>(this) + 64);
  }

  /** Is poolId known. */
  get hasPoolId(): bool {
    return (load<u32>(changetype<usize>(this)) & 1) != 0;
  }

  /** Who made a sandwich. */
  get sandwicher(): Address {
    return changetype<Address>(changetype<usize>(this) + 96);
  }

  /** Token that a sandwich earned. */
  get token(): Address {
    return changetype<Address>(changetype<usize>(this) + 116);
  }

  /** Token that a victim got less of. */
  get lossToken(): Address {
    return changetype<Address>(changetype<usize>(this) + 136);
  }

  /** Is lossToken known. */
  get hasLossToken(): bool {
    return (load<u32>(changetype<usize>(this)) & 2) != 0;
  }

  /** What a sandwich earned at this pool; absent if less than nothing. */
  get profit(): U256 {
    return changetype<U256>(changetype<usize>(this) + 160);
  }

  /** Is profit known. */
  get hasProfit(): bool {
    return (load<u32>(changetype<usize>(this)) & 4) != 0;
  }

  /** What this victim lost; absent of others, and where it cannot be computed. */
  get loss(): U256 {
    return changetype<U256>(changetype<usize>(this) + 192);
  }

  /** Is loss known. */
  get hasLoss(): bool {
    return (load<u32>(changetype<usize>(this)) & 8) != 0;
  }
}

/** Somebody repaid another one's debt for collateral. */
@unmanaged
export class Liquidation {
  /** How sure a liquidation is: low, medium, high. */
  get confidence(): Confidence {
    return <Confidence>load<u32>(changetype<usize>(this) + 4);
  }

  /** Of the log that says so. */
  get logIndex(): u32 {
    return load<u32>(changetype<usize>(this) + 8);
  }

  /** Protocol of a liquidation: aave, compound_v2, morpho_blue …. */
  get protocol(): string {
    return nameAt(changetype<usize>(this) + 12);
  }

  /** Is the protocol this one? Without making a text of it. */
  protocolIs(name: string): bool {
    return nameIs(changetype<usize>(this) + 12, name);
  }

  /** Lending pool or market of a liquidation. */
  get pool(): Address {
    return changetype<Address>(changetype<usize>(this) + 44);
  }

  /** Who repaid a liquidation's debt. */
  get liquidator(): Address {
    return changetype<Address>(changetype<usize>(this) + 64);
  }

  /** Whose debt was repaid. */
  get user(): Address {
    return changetype<Address>(changetype<usize>(this) + 84);
  }

  /** Token of a liquidation's debt. */
  get debtToken(): Address {
    return changetype<Address>(changetype<usize>(this) + 104);
  }

  /** Token of a liquidation's collateral. */
  get collateralToken(): Address {
    return changetype<Address>(changetype<usize>(this) + 124);
  }

  /** Debt that was repaid. */
  get debtAmount(): U256 {
    return changetype<U256>(changetype<usize>(this) + 144);
  }

  /** Collateral that was taken. */
  get collateralAmount(): U256 {
    return changetype<U256>(changetype<usize>(this) + 176);
  }
}

/** The transaction's part in liquidity that was there for others' swaps only. */
@unmanaged
export class Jit {
  /** How sure JIT liquidity is: low, medium, high. */
  get confidence(): Confidence {
    return <Confidence>load<u32>(changetype<usize>(this) + 4);
  }

  /** Part in JIT liquidity: mint, swap, burn. */
  get role(): JitRole {
    return <JitRole>load<u32>(changetype<usize>(this) + 8);
  }

  /** Protocol of JIT liquidity's pool. */
  get protocol(): string {
    return nameAt(changetype<usize>(this) + 12);
  }

  /** Is the protocol this one? Without making a text of it. */
  protocolIs(name: string): bool {
    return nameIs(changetype<usize>(this) + 12, name);
  }

  /** Contract of JIT liquidity's pool; of one that has an id the id's first 20 bytes, which of Balancer V2 are its contract. */
  get pool(): Address {
    return changetype<Address>(changetype<usize>(this) + 44);
  }

  /** Id of JIT liquidity's pool: Uniswap V4, Balancer V2. */
  get poolId(): Bytes32 {
    return changetype<Bytes32>(changetype<usize>(this) + 64);
  }

  /** Is poolId known. */
  get hasPoolId(): bool {
    return (load<u32>(changetype<usize>(this)) & 1) != 0;
  }

  /** Who provided JIT liquidity. */
  get provider(): Address {
    return changetype<Address>(changetype<usize>(this) + 96);
  }

  /** How much of JIT liquidity, in the pool's unit. */
  get liquidity(): U256 {
    return changetype<U256>(changetype<usize>(this) + 120);
  }
}
