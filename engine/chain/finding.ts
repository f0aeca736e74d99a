/** What we say happened. One is one line of `weir detect` (findingJson.ts) and one row of its table. Amounts: a token's smallest unit. */
import type { Address, Confidence, Swap } from "./swap.ts";

/** Every finding says where it stands in its block, how sure it is, why, and by which logs of the block. */
interface Judged {
  /** Number of the transaction in the block view; of findings over several, the first. */
  readonly transaction: number;
  /** Of the first log that says so. */
  readonly logIndex: number;
  readonly confidence: Confidence;
  readonly reason: string;
  readonly evidence: readonly number[];
}

export interface SwapFinding extends Swap {
  readonly kind: "swap";
}

/**
 * What is left of a gross profit, in wei of the chain's own coin where nothing else is said. null: unknown, never zero instead.
 */
export interface Profit {
  /** gasUsed × effectiveGasPrice of all transactions that the searcher sent for it. */
  readonly gasCost: bigint | null;
  /** Paid to the block's fee recipient besides gas: value, wrapped coin, and with a trace what contracts sent. null: who that is, is unknown. */
  readonly feeRecipientPayment: bigint | null;
  /** Whether a trace showed what contracts sent. If not, more may have been paid, and net and ROI are upper bounds. */
  readonly paymentsComplete: boolean;
  /** Gross − gas − payments. null where the profit token has no price in the chain's own coin, or gas is unknown. */
  readonly net: bigint | null;
  /** net / what was put in, in percent. */
  readonly roiPercent: number | null;
  /** In USD, six decimals. */
  readonly gasUsd: number | null;
  readonly grossUsd: number | null;
  readonly netUsd: number | null;
}

/**
 * `cycle`: swaps of one account that form a closed route; what statistics count. `router`: two swaps or more through a known router's
 * known method, as seed 002 defines it, which catches ordinary two-hop trades, too.
 */
export interface ArbitrageFinding extends Judged {
  readonly kind: "arbitrage";
  readonly definition: "cycle" | "router";
  readonly account: Address;
  readonly profitToken: Address;
  readonly startAmount: bigint;
  readonly endAmount: bigint;
  /**
   * endAmount − startAmount: may be negative; gas and payments are not deducted. null for a `router` trade that ends in another token
   * than it began with.
   */
  readonly profitAmount: bigint | null;
  readonly route: readonly Swap[];
  readonly profit?: Profit;
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
  /** Sums over the frontruns and over the backruns: what went into the pool, and what came out. */
  readonly frontrunIn: bigint;
  readonly frontrunOut: bigint;
  readonly backrunIn: bigint;
  readonly backrunOut: bigint;
  readonly profitToken: Address;
  /** Of this pool alone: over the pools of one attack they add up to what it earned. May be negative. */
  readonly profitAmount: bigint;
  /** What each victim got less than it would have without the frontrun, in its token out; null where it cannot be computed. */
  readonly victimLosses: readonly {
    readonly transaction: number;
    readonly token: Address;
    readonly amount: bigint | null;
  }[];
  readonly profit?: Profit;
}

export interface LiquidationFinding extends Judged {
  readonly kind: "liquidation";
  /** As mev-inspect-py names them, else by the same pattern: aave (any version), compound_v2, cream, compound_v3, maker … */
  readonly protocol: string;
  /** The contract that says so: the lending pool, or the market that was owed. */
  readonly pool: Address;
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
  readonly liquidity: bigint;
}

/** A reverted transaction of an account that is known to search. */
export interface AttemptFinding extends Judged {
  readonly kind: "attempt";
  /** Sender or recipient, whichever is known. */
  readonly searcher: Address;
}

export type Finding =
  | SwapFinding
  | ArbitrageFinding
  | SandwichFinding
  | LiquidationFinding
  | JitFinding
  | AttemptFinding;
