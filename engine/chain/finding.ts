/** What we say happened. One is one line of `weir detect` (findingJson.ts) and one row of its table. Amounts: a token's smallest unit. */
import type { Address, Confidence, Swap } from "./swap.ts";

/** Every finding says how sure it is, why, and by which logs of the block. */
interface Judged {
  readonly confidence: Confidence;
  readonly reason: string;
  readonly evidence: readonly number[];
}

export interface SwapFinding extends Swap {
  readonly kind: "swap";
}

/**
 * `cycle`: swaps of one account that form a closed route; what statistics count. `router`: two swaps or more through a known router's
 * known method, as seed 002 defines it, which catches ordinary two-hop trades, too.
 */
export interface ArbitrageFinding extends Judged {
  readonly kind: "arbitrage";
  readonly definition: "cycle" | "router";
  readonly transaction: number;
  readonly logIndex: number;
  readonly account: Address;
  readonly profitToken: Address;
  readonly startAmount: bigint;
  readonly endAmount: bigint;
  /** endAmount − startAmount: may be negative; gas and payments are not deducted. */
  readonly profitAmount: bigint;
  readonly route: readonly Swap[];
}

export interface SandwichFinding extends Judged {
  readonly kind: "sandwich";
  readonly pool: Address;
  readonly protocol: string;
  readonly sandwicher: Address;
  /** Transactions by their number in the block view; more than one front- or backrun where layers were put around the same victims. */
  readonly frontruns: readonly number[];
  readonly victims: readonly number[];
  readonly backruns: readonly number[];
  readonly profitToken: Address;
  readonly profitAmount: bigint;
  /** What each victim got less than it would have without the frontrun, in its token out; null where it cannot be computed. */
  readonly victimLosses: readonly {
    readonly transaction: number;
    readonly token: Address;
    readonly amount: bigint | null;
  }[];
}

export interface LiquidationFinding extends Judged {
  readonly kind: "liquidation";
  readonly protocol: string;
  readonly transaction: number;
  readonly logIndex: number;
  readonly liquidator: Address;
  readonly user: Address;
  readonly debtToken: Address;
  readonly debtAmount: bigint;
  readonly collateralToken: Address;
  readonly collateralAmount: bigint;
}

/** Liquidity added right before others' swaps and taken out right after them, in one block. */
export interface JitFinding extends Judged {
  readonly kind: "jit";
  readonly protocol: string;
  readonly pool: Address;
  readonly provider: Address;
  readonly mintTransaction: number;
  readonly swapTransactions: readonly number[];
  readonly burnTransaction: number;
  readonly logIndex: number;
}

export type Finding = SwapFinding | ArbitrageFinding | SandwichFinding | LiquidationFinding | JitFinding;
