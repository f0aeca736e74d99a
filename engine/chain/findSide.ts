import type { Direction, Movements } from "./movements.ts";
import type { Layout } from "./protocols/exchange.ts";
import { type Address, NATIVE } from "./swap.ts";
import type { PlacedTransfer } from "./transfers.ts";

/** One side of a swap, what was paid in or what was paid out: its token, and the transfer that shows it. */
export interface Side {
  readonly token: Address;
  /** None: see `silence`. */
  readonly transfer?: PlacedTransfer;
  /**
   * How it shows: a transfer of exactly the amount, or several that add up to it; `about`: some of another amount; `coin`: the chain's coin was
   * there, or was wrapped afterwards, in this amount; `silence`: no token moved at all, so it must have been the coin.
   */
  readonly sight: "exact" | "about" | "coin" | "silence";
  /** Another token moved in this amount, too. */
  readonly hasRival: boolean;
}

/** What is looked for. */
export interface Sought {
  readonly layout: Layout;
  readonly movements: Movements;
  /** Who held the tokens, and from where in the receipt to where they may have moved; the log stands at `to`. */
  readonly holder: Address;
  readonly from: number;
  readonly to: number;
  readonly direction: Direction;
  readonly amount: bigint;
  /** Whom the log says was paid. */
  readonly recipient: Address | undefined;
}

/** @param token if it is known; @param fits whether it may be this one */
export function findSide(
  sought: Sought,
  token: Address | undefined,
  fits: (token: Address) => boolean,
): Side | undefined {
  return sought.layout.settles === "before" ? findBefore(sought, fits) : findAnywhere(sought, token, fits);
}

function findAnywhere(sought: Sought, token: Address | undefined, fits: (token: Address) => boolean): Side | undefined {
  const { movements, holder, direction, amount, to } = sought;
  const near = movements.nearest(holder, direction, amount, to, token).filter((transfer) => fits(transfer.token));
  return sideOf(near, near[0]) ?? findCoin(sought, fits);
}

function findBefore(sought: Sought, fits: (token: Address) => boolean): Side | undefined {
  const { movements, holder, direction, amount, recipient, from, to } = sought;
  const moved = movements.between(holder, direction, from, to);
  const fitting = moved.filter((transfer) => fits(transfer.token));
  const exact = fitting.filter((transfer) => transfer.amount === amount);
  const side = sideOf(exact, exact.at(-1)) ?? findAnywhere(sought, undefined, fits);
  if (side !== undefined) return side;
  const paid = direction === "out" ? fitting.filter((transfer) => transfer.to === recipient) : [];
  const transfer = paid.at(-1) ?? fitting.at(-1);
  if (transfer === undefined)
    return moved.length === 0 && sought.layout.coin === "silent" && fits(NATIVE)
      ? { token: NATIVE, sight: "silence", hasRival: false }
      : undefined;
  const same = fitting.filter(({ token }) => token === transfer.token);
  const sum = same.reduce((total, other) => total + other.amount, 0n);
  // a tax takes from what was sent; far less than the log says was received, or paid, is a lie, or another token
  if (sum * 2n < amount || (direction === "out" && sum > amount * 2n)) return undefined;
  const hasRival = sum !== amount && same.length < fitting.length;
  return { token: transfer.token, transfer, sight: sum === amount ? "exact" : "about", hasRival };
}

function sideOf(exact: readonly PlacedTransfer[], transfer: PlacedTransfer | undefined): Side | undefined {
  if (transfer === undefined) return undefined;
  const { token } = transfer;
  return { token, transfer, sight: "exact", hasRival: exact.some((other) => other.token !== token) };
}

function findCoin(
  { layout, movements, direction, amount, to }: Sought,
  fits: (token: Address) => boolean,
): Side | undefined {
  const transfer = layout.coin && fits(NATIVE) ? movements.coin(direction, amount, to) : undefined;
  return transfer && { token: NATIVE, transfer, sight: "coin", hasRival: false };
}
