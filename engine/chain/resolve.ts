import { between, type Direction, type Movements } from "./movements.ts";
import type { Exchange, Tokens } from "./protocols/exchange.ts";
import type { Address, Confidence, Swap } from "./swap.ts";
import type { PlacedTransfer } from "./transfers.ts";

/** Which tokens a pool holds. */
export interface PoolTokens {
  readonly token0: Address;
  readonly token1: Address;
}

/** One side of a swap: its token and the transfer that shows it. */
interface Side {
  readonly token: Address;
  readonly transfer: PlacedTransfer;
  /** What moved is exactly what the log says: in one transfer or in several. */
  readonly isExact: boolean;
  /** Another token moved as well as this one. */
  readonly hasRival: boolean;
}

export type Resolved = Pick<Swap, "from" | "to" | "tokenIn" | "tokenOut" | "provenance" | "confidence" | "reason"> & {
  readonly transfers: readonly PlacedTransfer[];
};

/**
 * Finds the tokens of a swap, and who paid and was paid, from the transfers into and out of the contract that holds the tokens, between
 * two positions of the receipt: its swap before, and this one's log. Of several that would do the last one counts.
 *
 * @param holder the contract that holds the tokens
 * @returns undefined where a token remains unknown
 */
export function resolve(
  exchange: Exchange,
  holder: Address,
  pool: PoolTokens | undefined,
  movements: Movements,
  [from, to]: readonly [number, number],
): Resolved | undefined {
  const said = saidTokens(exchange.tokens, pool);
  const { amountIn, amountOut, tokens } = exchange;
  const find = (direction: Direction, amount: bigint, fits: (token: Address) => boolean) =>
    findSide(movements, holder, direction, amount, from, to, fits);
  let sideIn: Side | undefined;
  let sideOut: Side | undefined;
  if (said !== undefined) {
    sideIn = find("in", amountIn, (token) => token === said.tokenIn);
    sideOut = find("out", amountOut, (token) => token === said.tokenOut);
  } else {
    const zeroForOne = tokens.known === "direction" ? tokens.zeroForOne : undefined;
    sideOut = find("out", amountOut, () => true);
    sideIn = find("in", amountIn, (token) => sideOut === undefined || canBe(token, sideOut.token, zeroForOne));
    if (sideIn === undefined) {
      sideIn = find("in", amountIn, () => true);
      sideOut = sideIn && find("out", amountOut, (token) => canBe(sideIn!.token, token, zeroForOne));
    }
  }
  const tokenIn = said?.tokenIn ?? sideIn?.token;
  const tokenOut = said?.tokenOut ?? sideOut?.token;
  if (tokenIn === undefined || tokenOut === undefined) return undefined;
  return {
    tokenIn,
    tokenOut,
    from: sideIn?.transfer.from ?? exchange.payer ?? holder,
    to: sideOut?.transfer.to ?? exchange.recipient ?? holder,
    provenance: said?.provenance ?? "transfers",
    ...judge(said !== undefined, sideIn, sideOut),
    transfers: [sideIn, sideOut].flatMap((side) => side?.transfer ?? []),
  };
}

function saidTokens(tokens: Tokens, pool: PoolTokens | undefined) {
  if (tokens.known === "both") return { ...tokens, provenance: "log" } as const;
  if (tokens.known === "nothing" || pool === undefined) return undefined;
  const [tokenIn, tokenOut] = tokens.zeroForOne ? [pool.token0, pool.token1] : [pool.token1, pool.token0];
  return { tokenIn, tokenOut, provenance: "pool" } as const;
}

/** A pool's two tokens differ, and token0 is the one with the lower address. */
function canBe(tokenIn: Address, tokenOut: Address, zeroForOne: boolean | undefined): boolean {
  return zeroForOne === undefined ? tokenIn !== tokenOut : zeroForOne ? tokenIn < tokenOut : tokenIn > tokenOut;
}

function findSide(
  movements: Movements,
  holder: Address,
  direction: Direction,
  amount: bigint,
  from: number,
  to: number,
  fits: (token: Address) => boolean,
): Side | undefined {
  const exact = between(movements.exactly(holder, direction, amount), from, to).filter(({ token }) => fits(token));
  const last = exact.at(-1);
  if (last !== undefined) {
    const hasRival = exact.some(({ token }) => token !== last.token);
    return { token: last.token, transfer: last, isExact: true, hasRival };
  }
  const all = between(movements.of(holder, direction), from, to).filter(({ token }) => fits(token));
  const transfer = all.at(-1);
  if (transfer === undefined) return undefined;
  const token = transfer.token;
  const same = all.filter((other) => other.token === token);
  const sum = same.reduce((total, other) => total + other.amount, 0n);
  return { token, transfer, isExact: sum === amount, hasRival: same.length < all.length };
}

function judge(
  isSaid: boolean,
  sideIn: Side | undefined,
  sideOut: Side | undefined,
): { confidence: Confidence; reason: string } {
  const words = { in: "paid in", out: "paid out" } as const;
  const sides = [["in", sideIn], ["out", sideOut]] as const; // biome-ignore format: two
  const unseen = sides.filter(([, side]) => side === undefined).map(([name]) => words[name]);
  if (unseen.length > 0)
    return {
      confidence: unseen.length === 2 ? "low" : "medium",
      reason: `no transfer shows what was ${unseen.join(" and ")}`,
    };
  if (!isSaid && sides.some(([, side]) => side!.hasRival))
    return { confidence: "low", reason: "more than one token moved as the log says" };
  const inexact = sides.filter(([, side]) => !side!.isExact).map(([name]) => words[name]);
  if (inexact.length > 0)
    return {
      confidence: "medium",
      reason: `what was ${inexact.join(" and ")} differs from what was transferred, as with a taxed token`,
    };
  return { confidence: "high", reason: "transfers of exactly these amounts" };
}
