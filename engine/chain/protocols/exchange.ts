import type { BlockView } from "../blockView.ts";
import type { Address, Swap } from "../swap.ts";

/** What the log of a swap says by itself. Its tokens may have to be found. */
export interface Exchange {
  /** Over 0. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly tokens: Tokens;
  /** Absent: the contract that logged it. */
  readonly pool?: Address;
  /** Whom the tokens move to and from; absent: the contract that logged it. */
  readonly holder?: Address;
  /** Whom the log names as paying, or as calling, which need not be who paid. */
  readonly payer?: Address | undefined;
  /** Whom the log names as paid. */
  readonly recipient?: Address | undefined;
  readonly after?: Swap["after"];
}

/** What the log says of its tokens: which they are; that tokenIn is the pool's token0, or token1; or nothing. */
export type Tokens =
  | { readonly known: "both"; readonly tokenIn: Address; readonly tokenOut: Address }
  | { readonly known: "direction"; readonly zeroForOne: boolean; readonly sorted: boolean }
  | { readonly known: "nothing" };

/** How one kind of pool logs its swaps. */
export interface Layout {
  /** Of its event, as Solidity writes it. */
  readonly signature: string;
  /** When the tokens move: before the log, behind the pool's last swap; or anywhere, as where a vault settles the sum of many swaps. */
  readonly settles: "before" | "anywhere";
  /**
   * Whether a side may be the chain's coin, which moves without a log. `shown`: only where the transaction's value, or what was wrapped or
   * unwrapped, has the amount. `silent`: also where nothing else moved on that side, all of the tokens being in this pool's transfers.
   */
  readonly coin?: "shown" | "silent";
  /** Said of a whole route, by who took it: not a swap where its parts are. */
  readonly isSummary?: true;
  /**
   * What the log says, undefined if nothing was exchanged or the log is malformed.
   *
   * @param log byte offset; its first topic is the event's
   * @param previous byte offset of the log before it in the receipt, 0 if it is the first
   * @param end of the receipt's logs
   */
  read(view: BlockView, log: number, previous: number, end: number): Exchange | undefined;
}

type Amounts = Pick<Exchange, "amountIn" | "amountOut" | "tokens">;

/**
 * Which of a pool's two tokens was paid for which, by what the pool received of each: what it paid is negative. undefined unless it
 * received one and paid the other.
 *
 * @param sorted whether token0 is the one with the lower address
 */
export function byBalance(amount0: bigint, amount1: bigint, sorted = true): Amounts | undefined {
  if (amount0 > 0n && amount1 < 0n)
    return { amountIn: amount0, amountOut: -amount1, tokens: { known: "direction", zeroForOne: true, sorted } };
  if (amount1 > 0n && amount0 < 0n)
    return { amountIn: amount1, amountOut: -amount0, tokens: { known: "direction", zeroForOne: false, sorted } };
  return undefined;
}

/** A swap whose log names its tokens. undefined where an amount is 0, or the tokens are one. */
export function byName(tokenIn: Address, tokenOut: Address, amountIn: bigint, amountOut: bigint): Amounts | undefined {
  if (amountIn === 0n || amountOut === 0n || tokenIn === tokenOut) return undefined;
  return { amountIn, amountOut, tokens: { known: "both", tokenIn, tokenOut } };
}
