/** Swaps for tests: a test says only what it is about. */
import type { Address, Swap } from "../../swap.ts";

export const [WETH, USDC, DAI] = ["0xweth", "0xusdc", "0xdai"] as const;

let log = 0;

/** `0xweth 10 -> 0xusdc 20` at a pool, by an account; log indexes count up in the order of calls. */
export function swap(trade: string, pool: Address, account: Address, more: Partial<Swap> = {}): Swap {
  const [tokenIn, amountIn, , tokenOut, amountOut] = trade.split(" ") as [string, string, string, string, string];
  const logIndex = more.logIndex ?? log++;
  return {
    transaction: 0,
    logIndex,
    protocol: "uniswap_v2",
    pool,
    from: account,
    to: account,
    tokenIn,
    amountIn: BigInt(amountIn),
    tokenOut,
    amountOut: BigInt(amountOut),
    provenance: "log",
    confidence: "high",
    reason: "",
    evidence: [logIndex],
    ...more,
  };
}
