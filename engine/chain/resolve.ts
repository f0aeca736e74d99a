import { findSide, type Place, type Side } from "./findSide.ts";
import type { Direction } from "./movements.ts";
import type { Exchange, Tokens } from "./protocols/exchange.ts";
import { type Address, type Confidence, NATIVE, type Swap } from "./swap.ts";
import { ZERO } from "./transfers.ts";

/** Which tokens a pool holds; NATIVE for the chain's coin. */
export interface PoolTokens {
  readonly token0: Address;
  readonly token1: Address;
}

export type Resolved = Pick<Swap, "from" | "to" | "tokenIn" | "tokenOut" | "provenance" | "confidence" | "reason"> & {
  readonly sideIn: Side | undefined;
  readonly sideOut: Side | undefined;
};

/**
 * Finds the tokens of a swap, and who paid and was paid, from the transfers to and from the holder of its tokens.
 *
 * @param pool its tokens, where they are known and the log does not name them
 * @param isOfficial the log is one of the protocol's own contracts, as the registry has them
 * @returns undefined where a token remains unknown, or where only a stranger's log says that there was a swap
 */
export function resolve(
  exchange: Exchange,
  pool: PoolTokens | undefined,
  isOfficial: boolean,
  place: Place,
): Resolved | undefined {
  const { tokens, recipient } = exchange;
  const find = (direction: Direction, token: Address | undefined, fits: (token: Address) => boolean) =>
    findSide(place, direction, direction === "in" ? exchange.amountIn : exchange.amountOut, recipient, token, fits);
  const said = saidTokens(tokens, pool);
  let sideIn: Side | undefined;
  let sideOut: Side | undefined;
  if (said !== undefined) {
    sideIn = find("in", said.tokenIn, (token) => token === said.tokenIn);
    sideOut = find("out", said.tokenOut, (token) => token === said.tokenOut);
    if (sideIn === undefined && sideOut === undefined && !isOfficial) return undefined;
  } else {
    sideOut = find("out", undefined, () => true);
    sideIn = find("in", undefined, (token) => sideOut === undefined || canBe(token, sideOut.token, tokens));
    if (sideIn === undefined) {
      sideIn = find("in", undefined, () => true);
      sideOut = sideIn && find("out", undefined, (token) => canBe(sideIn!.token, token, tokens));
    }
    if (sideIn === undefined || sideOut === undefined) return undefined;
    if (sideIn.sight === "silence" && sideOut.sight !== "exact") return undefined;
    if (sideOut.sight === "silence" && sideIn.sight !== "exact") return undefined;
  }
  const { confidence, reason } = judge(said !== undefined, isOfficial, sideIn, sideOut);
  return {
    tokenIn: said?.tokenIn ?? sideIn!.token,
    tokenOut: said?.tokenOut ?? sideOut!.token,
    from: who(sideIn?.transfer?.from) ?? exchange.payer ?? place.holder,
    to: recipient ?? who(sideOut?.transfer?.to) ?? exchange.payer ?? place.holder,
    provenance: said?.provenance ?? "transfers",
    confidence,
    reason,
    sideIn,
    sideOut,
  };
}

/** What is wrapped comes from nobody, what is unwrapped goes to nobody. */
function who(account: Address | undefined): Address | undefined {
  return account === ZERO ? undefined : account;
}

function saidTokens(tokens: Tokens, pool: PoolTokens | undefined) {
  if (tokens.known === "both")
    return { tokenIn: tokens.tokenIn, tokenOut: tokens.tokenOut, provenance: "log" } as const;
  if (tokens.known === "nothing" || pool === undefined) return undefined;
  const [tokenIn, tokenOut] = tokens.zeroForOne ? [pool.token0, pool.token1] : [pool.token1, pool.token0];
  return { tokenIn, tokenOut, provenance: "pool" } as const;
}

/** A pool's two tokens differ; where they are sorted, token0 has the lower address, and the coin the lowest. */
function canBe(tokenIn: Address, tokenOut: Address, tokens: Tokens): boolean {
  if (tokens.known !== "direction" || !tokens.sorted || tokenIn === tokenOut) return tokenIn !== tokenOut;
  return rank(tokenIn) < rank(tokenOut) === tokens.zeroForOne;
}

const rank = (token: Address): Address => (token === NATIVE ? "0x" : token);

/** How sure we are that it was a swap of these tokens, and why not more. */
function judge(
  isSaid: boolean,
  isOfficial: boolean,
  sideIn: Side | undefined,
  sideOut: Side | undefined,
): { confidence: Confidence; reason: string } {
  const sides = [sideIn, sideOut];
  if (sides.every((side) => side?.sight === "exact" && (isSaid || !side.hasRival)))
    return { confidence: "high", reason: "transfers of exactly these amounts" };
  if (isSaid && isOfficial) return { confidence: "high", reason: "logged by the protocol's own contract" };
  if (!isSaid && sides.some((side) => side?.hasRival))
    return { confidence: "low", reason: "more than one token moved as the log says" };
  const doubts = [doubt("in", sideIn), doubt("out", sideOut)].filter(Boolean);
  return { confidence: "medium", reason: doubts.join("; ") };
}

function doubt(direction: Direction, side: Side | undefined): string | undefined {
  if (side === undefined) return `no transfer shows what was paid ${direction}`;
  switch (side.sight) {
    case "exact":
      return undefined;
    case "about":
      return `another amount was transferred ${direction}, as of a taxed token`;
    case "coin":
      return `the chain's coin was paid ${direction}, as its value or wrapping shows`;
    case "silence":
      return `no token was transferred ${direction}, so it was the chain's coin`;
  }
}
