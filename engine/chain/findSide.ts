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

/** Where a swap's transfers are looked for. */
export interface Place {
  readonly layout: Layout;
  readonly movements: Movements;
  /** Who held the tokens, and from which position of the receipt on they may have moved; the log stands at `to`. */
  readonly holder: Address;
  readonly from: number;
  readonly to: number;
}

type Fits = (token: Address) => boolean;

/**
 * @param recipient whom the log says was paid
 * @param token if it is known
 * @param fits whether it may be this one
 */
export function findSide(
  place: Place,
  direction: Direction,
  amount: bigint,
  recipient: Address | undefined,
  token: Address | undefined,
  fits: Fits,
): Side | undefined {
  if (place.layout.settles === "anywhere") return findAnywhere(place, direction, amount, token, fits);
  const { movements, holder, from, to } = place;
  const moved = movements.between(holder, direction, from, to);
  const fitting = moved.filter((transfer) => fits(transfer.token));
  const exact = fitting.filter((transfer) => transfer.amount === amount);
  return (
    exactSide(exact, exact.at(-1)) ??
    findAnywhere(place, direction, amount, token, fits) ??
    findAbout(fitting, direction, amount, recipient) ??
    (moved.length === 0 && place.layout.coin === "silent" && fits(NATIVE) ? SILENCE : undefined)
  );
}

const SILENCE: Side = { token: NATIVE, sight: "silence", hasRival: false };

/** The nearest transfer of the amount, whatever lies between, or the chain's coin. */
function findAnywhere(
  { layout, movements, holder, to }: Place,
  direction: Direction,
  amount: bigint,
  token: Address | undefined,
  fits: Fits,
): Side | undefined {
  const near = movements.nearest(holder, direction, amount, to, token).filter((transfer) => fits(transfer.token));
  if (near.length > 0) return exactSide(near, near[0]);
  const transfer = layout.coin && fits(NATIVE) ? movements.coin(direction, amount, to) : undefined;
  return transfer && { token: NATIVE, transfer, sight: "coin", hasRival: false };
}

/** The token that moved last, to whom the log names if it went there, in one transfer or several. */
function findAbout(
  fitting: readonly PlacedTransfer[],
  direction: Direction,
  amount: bigint,
  recipient: Address | undefined,
): Side | undefined {
  const paid = direction === "out" ? fitting.filter(({ to }) => to === recipient) : fitting;
  const transfer = paid.at(-1) ?? fitting.at(-1);
  if (transfer === undefined) return undefined;
  const { token } = transfer;
  const same = fitting.filter((other) => other.token === token);
  const sum = same.reduce((total, other) => total + other.amount, 0n);
  // a tax takes from what was sent; far less than the log says was received, or far from what it says was paid, is a lie or another token
  if (sum * 2n < amount || (direction === "out" && sum > amount * 2n)) return undefined;
  return {
    token,
    transfer,
    sight: sum === amount ? "exact" : "about",
    hasRival: sum !== amount && same.length < fitting.length,
  };
}

function exactSide(exact: readonly PlacedTransfer[], transfer: PlacedTransfer | undefined): Side | undefined {
  if (transfer === undefined) return undefined;
  const { token } = transfer;
  return { token, transfer, sight: "exact", hasRival: exact.some((other) => other.token !== token) };
}
