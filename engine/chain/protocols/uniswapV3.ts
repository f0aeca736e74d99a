import { createEvent } from "../event.ts";
import { byBalance, type Exchange, type Layout } from "./exchange.ts";

/** Uniswap V3 and its forks; Algebra (QuickSwap V3, Camelot V3) logs the same. Amounts are the pool's: what it received is positive. */
const swap = createEvent("Swap", ["indexed address", "indexed address", "int256", "int256", "uint160", "uint128", "int24"]); // biome-ignore format: a line each
/** With the protocol's fees in both tokens. */
const pancakeSwap = createEvent("Swap", ["indexed address", "indexed address", "int256", "int256", "uint160", "uint128", "int24", "uint128", "uint128"]); // biome-ignore format: a line each
/** Algebra Integral (QuickSwap V4): with what a plug-in made of the fee. */
const integralSwap = createEvent("Swap", ["indexed address", "indexed address", "int256", "int256", "uint160", "uint128", "int24", "uint24", "uint24"]); // biome-ignore format: a line each

export const uniswapV3 = layout(swap);
export const pancakeV3 = layout(pancakeSwap);
export const algebraIntegral = layout(integralSwap);

function layout(event: typeof swap | typeof pancakeSwap | typeof integralSwap): Layout {
  return {
    signature: event.signature,
    settles: "before",
    read(view, log) {
      const values = event.read(view, log);
      return values && exchange(values);
    },
  };
}

type Values = readonly [string, string, bigint, bigint, bigint, bigint, bigint, ...unknown[]];

/** A price that moved through empty ranges exchanged nothing. */
function exchange([payer, recipient, amount0, amount1, sqrtPriceX96, liquidity, tick]: Values): Exchange | undefined {
  const amounts = byBalance(amount0, amount1);
  return amounts && { ...amounts, payer, recipient, after: { sqrtPriceX96, liquidity, tick: Number(tick) } };
}
