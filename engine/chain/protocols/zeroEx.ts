import { createEvent } from "../event.ts";
import type { Address } from "../swap.ts";
import { byName, type Exchange, type Layout } from "./exchange.ts";

/**
 * 0x: a maker's order is filled. The taker pays the maker (`holder`), who pays the taker; the exchange's contract stands for the pool.
 * v2 and v3 name a token by its asset data: the selector of `ERC20Token(address)` and the address; other assets are no swap.
 */
const fillV2 = createEvent("Fill", ["indexed address", "indexed address", "address", "address", "uint256", "uint256", "uint256", "uint256", "indexed bytes32", "bytes", "bytes"]); // biome-ignore format: a line each
const fillV3 = createEvent("Fill", ["indexed address", "indexed address", "bytes", "bytes", "bytes", "bytes", "indexed bytes32", "address", "address", "uint256", "uint256", "uint256", "uint256", "uint256"]); // biome-ignore format: a line each
const limit = createEvent("LimitOrderFilled", ["bytes32", "address", "address", "address", "address", "address", "uint128", "uint128", "uint128", "uint256", "bytes32"]); // biome-ignore format: a line each
const rfq = createEvent("RfqOrderFilled", ["bytes32", "address", "address", "address", "address", "uint128", "uint128", "bytes32"]); // biome-ignore format: a line each
const otc = createEvent("OtcOrderFilled", [
  "bytes32",
  "address",
  "address",
  "address",
  "address",
  "uint128",
  "uint128",
]);
const transformed = createEvent("TransformedERC20", ["indexed address", "address", "address", "uint256", "uint256"]);
const provided = createEvent("LiquidityProviderSwap", [
  "address",
  "address",
  "uint256",
  "uint256",
  "address",
  "address",
]);

export const zeroExFillV2: Layout = {
  signature: fillV2.signature,
  settles: "anywhere",
  read(view, log) {
    const values = fillV2.read(view, log);
    if (values === undefined) return undefined;
    const [maker, , taker, , bought, sold, , , , makerAsset, takerAsset] = values;
    return fill(maker, taker, tokenOf(makerAsset), tokenOf(takerAsset), bought, sold);
  },
};

export const zeroExFillV3: Layout = {
  signature: fillV3.signature,
  settles: "anywhere",
  read(view, log) {
    const values = fillV3.read(view, log);
    if (values === undefined) return undefined;
    const [maker, , makerAsset, takerAsset, , , , taker, , bought, sold] = values;
    return fill(maker, taker, tokenOf(makerAsset), tokenOf(takerAsset), bought, sold);
  },
};

export const zeroExLimit: Layout = {
  signature: limit.signature,
  settles: "anywhere",
  read(view, log) {
    const values = limit.read(view, log);
    if (values === undefined) return undefined;
    const [, maker, taker, , makerToken, takerToken, sold, bought] = values;
    return fill(maker, taker, makerToken, takerToken, bought, sold);
  },
};

export const zeroExRfq: Layout = {
  signature: rfq.signature,
  settles: "anywhere",
  read(view, log) {
    const values = rfq.read(view, log);
    if (values === undefined) return undefined;
    const [, maker, taker, makerToken, takerToken, sold, bought] = values;
    return fill(maker, taker, makerToken, takerToken, bought, sold);
  },
};

/** Its amounts stand the other way round. */
export const zeroExOtc: Layout = {
  signature: otc.signature,
  settles: "anywhere",
  read(view, log) {
    const values = otc.read(view, log);
    if (values === undefined) return undefined;
    const [, maker, taker, makerToken, takerToken, bought, sold] = values;
    return fill(maker, taker, makerToken, takerToken, bought, sold);
  },
};

/** What a taker paid and got in all, whatever pools were used. */
export const zeroExTransformed: Layout = {
  signature: transformed.signature,
  settles: "anywhere",
  isSummary: true,
  read(view, log) {
    const values = transformed.read(view, log);
    if (values === undefined) return undefined;
    const [taker, tokenIn, tokenOut, amountIn, amountOut] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, payer: taker, recipient: taker };
  },
};

/** A swap through a contract that knows some pool. */
export const zeroExProvided: Layout = {
  signature: provided.signature,
  settles: "anywhere",
  isSummary: true,
  read(view, log) {
    const values = provided.read(view, log);
    if (values === undefined) return undefined;
    const [tokenIn, tokenOut, amountIn, amountOut, provider, recipient] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, pool: provider, holder: provider, recipient };
  },
};

function fill(
  maker: Address,
  taker: Address,
  makerToken: Address | undefined,
  takerToken: Address | undefined,
  bought: bigint,
  sold: bigint,
): Exchange | undefined {
  if (makerToken === undefined || takerToken === undefined) return undefined;
  const amounts = byName(takerToken, makerToken, sold, bought);
  return amounts && { ...amounts, holder: maker, payer: taker };
}

const ERC20_ASSET = /^0xf47261b0(?:00){12}([0-9a-f]{40})$/;

function tokenOf(asset: string): Address | undefined {
  const found = ERC20_ASSET.exec(asset);
  return found ? `0x${found[1]}` : undefined;
}
