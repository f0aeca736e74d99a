import { createEvent } from "../event.ts";
import type { Exchange, Layout } from "./exchange.ts";

/** Uniswap V3 and its forks; Algebra (QuickSwap V3, Camelot V3) logs the same. Amounts are the pool's: what it received is positive. */
const swap = createEvent("Swap", ["indexed address", "indexed address", "int256", "int256", "uint160", "uint128", "int24"]); // biome-ignore format: a line each
/** With the protocol's fees in both tokens. */
const pancakeSwap = createEvent("Swap", ["indexed address", "indexed address", "int256", "int256", "uint160", "uint128", "int24", "uint128", "uint128"]); // biome-ignore format: a line each

export const uniswapV3: Layout = {
  signature: swap.signature,
  read(view, log) {
    const values = swap.read(view, log);
    return values && exchange(values);
  },
};

export const pancakeV3: Layout = {
  signature: pancakeSwap.signature,
  read(view, log) {
    const values = pancakeSwap.read(view, log);
    return values && exchange(values);
  },
};

type Values = readonly [string, string, bigint, bigint, bigint, bigint, bigint, ...unknown[]];

function exchange([payer, recipient, amount0, amount1, sqrtPriceX96, liquidity, tick]: Values): Exchange | undefined {
  const zeroForOne = amount0 > 0n;
  const [amountIn, amountOut] = zeroForOne ? [amount0, -amount1] : [amount1, -amount0];
  if (amountIn <= 0n || amountOut <= 0n) return undefined; // a price that moved through empty ranges exchanged nothing
  const after = { sqrtPriceX96, liquidity, tick: Number(tick) };
  return { amountIn, amountOut, tokens: { known: "direction", zeroForOne }, payer, recipient, after };
}
