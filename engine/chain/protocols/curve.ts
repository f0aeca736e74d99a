import { createEvent } from "../event.ts";
import type { Exchange, Layout } from "./exchange.ts";

/** Curve says which coins by their number in the pool, which nothing in a receipt explains: they are found from transfers. */
const signed = ["indexed address", "int128", "uint256", "int128", "uint256"] as const;
const unsigned = ["indexed address", "uint256", "uint256", "uint256", "uint256"] as const;

/** Stable pools, lending pools' own tokens, metapools, StableSwap-NG. */
const stable = createEvent("TokenExchange", signed);
/** The tokens behind those a pool holds: of a lending pool, or of the pool that a metapool is built on. */
const underlying = createEvent("TokenExchangeUnderlying", signed);
/** Crypto pools, as tricrypto. */
const crypto = createEvent("TokenExchange", unsigned);
/** Crypto pools, next generation: with the fee and the price scale. */
const cryptoNg = createEvent("TokenExchange", [...unsigned, "uint256", "uint256"]);

export const curve = layout(stable);
export const curveUnderlying = layout(underlying);
export const curveCrypto = layout(crypto);
export const curveCryptoNg = layout(cryptoNg);

/** Some pools hold the chain's coin itself. Pools of wrapped coin may take and give it unwrapped: they log that they wrap it. */
function layout(event: typeof stable | typeof crypto | typeof cryptoNg): Layout {
  return {
    signature: event.signature,
    settles: "before",
    coin: "silent",
    read(view, log) {
      const values = event.read(view, log);
      return values && exchange(values);
    },
  };
}

type Values = readonly [string, bigint, bigint, bigint, bigint, ...unknown[]];

function exchange([payer, sold, amountIn, bought, amountOut]: Values): Exchange | undefined {
  if (amountIn === 0n || amountOut === 0n || sold === bought) return undefined;
  return { amountIn, amountOut, tokens: { known: "nothing" }, payer };
}
