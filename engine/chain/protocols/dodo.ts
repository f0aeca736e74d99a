import { createEvent } from "../event.ts";
import { byName, type Layout } from "./exchange.ts";

const swap = createEvent("DODOSwap", ["address", "address", "uint256", "uint256", "address", "address"]);
/** V1 says which way, not which tokens. */
const sell = createEvent("SellBaseToken", ["indexed address", "uint256", "uint256"]);
const buy = createEvent("BuyBaseToken", ["indexed address", "uint256", "uint256"]);

export const dodoV2: Layout = {
  signature: swap.signature,
  settles: "before",
  read(view, log) {
    const values = swap.read(view, log);
    if (values === undefined) return undefined;
    const [tokenIn, tokenOut, amountIn, amountOut, payer, recipient] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, payer, recipient };
  },
};

export const dodoV1Sell: Layout = {
  signature: sell.signature,
  settles: "before",
  read(view, log) {
    const values = sell.read(view, log);
    if (values === undefined) return undefined;
    const [payer, amountIn, amountOut] = values;
    if (amountIn === 0n || amountOut === 0n) return undefined;
    return { amountIn, amountOut, tokens: { known: "direction", zeroForOne: true, sorted: false }, payer };
  },
};

export const dodoV1Buy: Layout = {
  signature: buy.signature,
  settles: "before",
  read(view, log) {
    const values = buy.read(view, log);
    if (values === undefined) return undefined;
    const [payer, amountOut, amountIn] = values;
    if (amountIn === 0n || amountOut === 0n) return undefined;
    return { amountIn, amountOut, tokens: { known: "direction", zeroForOne: false, sorted: false }, payer };
  },
};
