import { createEvent } from "../event.ts";
import { byName, type Layout } from "./exchange.ts";

/** V1: a pool is a contract, which logs before it pulls and pays. */
const swapV1 = createEvent("LOG_SWAP", ["indexed address", "indexed address", "indexed address", "uint256", "uint256"]);
/** Cream's pools, made of V1: with what is put aside as reserves. */
const swapCream = createEvent("LOG_SWAP", ["indexed address", "indexed address", "indexed address", "uint256", "uint256", "uint256"]); // biome-ignore format: a line each
/** V2: the vault holds all tokens and logs a swap of the pool with this id; of a batch it settles what is left in the end. */
const swapV2 = createEvent("Swap", ["indexed bytes32", "indexed address", "indexed address", "uint256", "uint256"]);
/** V3: the vault again, which names the pool's contract. */
const swapV3 = createEvent("Swap", ["indexed address", "indexed address", "indexed address", "uint256", "uint256", "uint256", "uint256"]); // biome-ignore format: a line each

export const balancerV1 = layoutV1(swapV1);
export const cream = layoutV1(swapCream);

function layoutV1(event: typeof swapV1 | typeof swapCream): Layout {
  return {
    signature: event.signature,
    settles: "anywhere",
    read(view, log) {
      const values = event.read(view, log);
      if (values === undefined) return undefined;
      const [payer, tokenIn, tokenOut, amountIn, amountOut] = values;
      const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
      return amounts && { ...amounts, payer };
    },
  };
}

export const balancerV2: Layout = {
  signature: swapV2.signature,
  settles: "anywhere",
  read(view, log) {
    const values = swapV2.read(view, log);
    if (values === undefined) return undefined;
    const [pool, tokenIn, tokenOut, amountIn, amountOut] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, pool };
  },
};

export const balancerV3: Layout = {
  signature: swapV3.signature,
  settles: "anywhere",
  read(view, log) {
    const values = swapV3.read(view, log);
    if (values === undefined) return undefined;
    const [pool, tokenIn, tokenOut, amountIn, amountOut] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, pool };
  },
};
