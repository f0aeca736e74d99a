import { createEvent } from "../event.ts";
import { byBalance, type Layout } from "./exchange.ts";

/** One contract, the PoolManager, holds all tokens. Amounts are the swapper's: what it paid is negative. */
const swap = createEvent("Swap", ["indexed bytes32", "indexed address", "int128", "int128", "uint160", "uint128", "int24", "uint24"]); // biome-ignore format: a line each

/**
 * The manager settles what is left at the end of all swaps of an unlock, so of a route over two pools the token in the middle never moves.
 * The coin is a token like others, the lowest: it moves without a log.
 */
export const uniswapV4: Layout = {
  signature: swap.signature,
  settles: "anywhere",
  coin: "shown",
  read(view, log) {
    const values = swap.read(view, log);
    if (values === undefined) return undefined;
    const [pool, payer, amount0, amount1, sqrtPriceX96, liquidity, tick] = values;
    const amounts = byBalance(-amount0, -amount1);
    return amounts && { ...amounts, pool, payer, after: { sqrtPriceX96, liquidity, tick: Number(tick) } };
  },
};
