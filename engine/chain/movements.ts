import type { Address } from "./swap.ts";
import { type PlacedTransfer, ZERO } from "./transfers.ts";

export type Direction = "in" | "out";

/** The transfers of one transaction, by whose and how much: answers in logarithmic time, whatever number of logs there is. */
export interface Movements {
  /** Those into or out of an account at positions from ≤ p < to, in order. */
  between(account: Address, direction: Direction, from: number, to: number): readonly PlacedTransfer[];
  /** Those of exactly this amount, of one token or of any, that stand nearest: the first behind a position, and the last before it. */
  nearest(account: Address, direction: Direction, amount: bigint, position: number, token?: Address): PlacedTransfer[];
  /**
   * What shows that this much of the chain's coin was there to be paid to somebody (`in`), or was paid by somebody (`out`), which has no log
   * of its own: the transaction's value or what was unwrapped, or what was wrapped.
   */
  coin(direction: Direction, amount: bigint, position: number): PlacedTransfer | undefined;
}

interface Account {
  readonly all: PlacedTransfer[];
  /** By amount, and by amount and token; made when first asked for: most accounts are no pools. */
  exact?: Map<string, PlacedTransfer[]>;
}

/** @param wrapped the chain's wrapped coin */
export function createMovements(transfers: readonly PlacedTransfer[], wrapped: Address | undefined): Movements {
  const accounts = { in: new Map<Address, Account>(), out: new Map<Address, Account>() };
  for (const transfer of transfers) {
    put(accounts.in, transfer.to, transfer);
    put(accounts.out, transfer.from, transfer);
  }
  const value = transfers[0]?.kind === "native" ? transfers[0] : undefined;

  const movements: Movements = {
    between(address, direction, from, to) {
      const all = accounts[direction].get(address)?.all ?? [];
      return all.slice(firstFrom(all, from), firstFrom(all, to));
    },
    nearest(address, direction, amount, position, token = "") {
      const account = accounts[direction].get(address);
      if (account === undefined) return [];
      account.exact ??= byAmount(account.all);
      const exact = account.exact.get(amount.toString(16) + token) ?? [];
      const next = firstFrom(exact, position);
      return [exact[next], exact[next - 1]].filter((transfer) => transfer !== undefined);
    },
    coin(direction, amount, position) {
      if (direction === "in" && value?.amount === amount) return value;
      // what was wrapped came from nowhere, what was unwrapped went there
      return wrapped === undefined ? undefined : movements.nearest(ZERO, direction, amount, position, wrapped)[0];
    },
  };
  return movements;
}

/** Index of the first transfer at or behind a position. */
function firstFrom(transfers: readonly PlacedTransfer[], position: number): number {
  let low = 0;
  let high = transfers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (transfers[middle]!.position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function put(accounts: Map<Address, Account>, address: Address, transfer: PlacedTransfer): void {
  const account = accounts.get(address);
  if (account === undefined) accounts.set(address, { all: [transfer] });
  else account.all.push(transfer);
}

/** Keys are text: as numbers, amounts that differ in their upper bits only would share a hash, and a stranger chooses them. */
function byAmount(transfers: readonly PlacedTransfer[]): Map<string, PlacedTransfer[]> {
  const exact = new Map<string, PlacedTransfer[]>();
  for (const transfer of transfers) {
    const amount = transfer.amount.toString(16);
    for (const key of [amount, amount + transfer.token]) {
      const same = exact.get(key);
      if (same === undefined) exact.set(key, [transfer]);
      else same.push(transfer);
    }
  }
  return exact;
}
