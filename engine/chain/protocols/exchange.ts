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
  /** Whom the log names as paying and as paid, if it does. */
  readonly payer?: Address;
  readonly recipient?: Address;
  readonly after?: Swap["after"];
}

/** What the log says of its tokens: which they are; that tokenIn is the pool's token0, or token1; or nothing. */
export type Tokens =
  | { readonly known: "both"; readonly tokenIn: Address; readonly tokenOut: Address }
  | { readonly known: "direction"; readonly zeroForOne: boolean }
  | { readonly known: "nothing" };

/** How one kind of pool logs its swaps. */
export interface Layout {
  /** Of its event, as Solidity writes it. */
  readonly signature: string;
  /**
   * What the log says, undefined if nothing was exchanged or the log is malformed.
   *
   * @param log byte offset; its first topic is the event's
   * @param previous byte offset of the log before it in the receipt, 0 if it is the first
   */
  read(view: BlockView, log: number, previous: number): Exchange | undefined;
}
