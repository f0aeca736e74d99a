/**
 * What a receipt says that a transaction did, before anything is read into it: tokens that moved and pools that traded. Amounts are in
 * a token's smallest unit. Addresses are lower-case hex; NATIVE stands for the chain's own coin.
 */
export type Address = string;

/** As mev-inspect-py and many others write it. */
export const NATIVE: Address = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

export interface Transfer {
  /** Of the log; a transaction's own value, which has none, is -1. */
  readonly logIndex: number;
  readonly token: Address;
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
  /** deposit and withdrawal: wrapped native coin made (from the zero address) and unmade (to it). */
  readonly kind: "erc20" | "deposit" | "withdrawal" | "native";
}

/** How sure we are. A finding says why in `reason`. */
export type Confidence = "high" | "medium" | "low";

export interface Swap {
  /** Number of the transaction in its block view. */
  readonly transaction: number;
  /** Of the log that says so; its place in the block where the receipt has it. */
  readonly logIndex: number;
  /** As the registry calls it: uniswap_v2, uniswap_v3, balancer_v1, curve … */
  readonly protocol: string;
  /** The contract that holds the tokens; of Uniswap V4 and Balancer V2 the pool's id, 32 bytes. */
  readonly pool: Address;
  /** Who paid the pool: `from` of the last transfer of tokenIn to it, else what the log names. */
  readonly from: Address;
  /** Who was paid by it. */
  readonly to: Address;
  readonly tokenIn: Address;
  /** What the pool received: of a taxed token less than was sent. */
  readonly amountIn: bigint;
  readonly tokenOut: Address;
  readonly amountOut: bigint;
  /** Where the tokens are known from: the log names them, the pool's metadata, or the transfers around the swap. */
  readonly provenance: "log" | "pool" | "transfers";
  readonly confidence: Confidence;
  readonly reason: string;
  /** Log indexes: the swap's own, then the transfers that it was read with. */
  readonly evidence: readonly number[];
  /** Of the pool after the swap, where the receipt says: V2's Sync, V3's price and liquidity. */
  readonly after?:
    | { readonly reserve0: bigint; readonly reserve1: bigint }
    | { readonly sqrtPriceX96: bigint; readonly liquidity: bigint; readonly tick: number };
}
