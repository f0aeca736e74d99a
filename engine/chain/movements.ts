import type { Address } from "./swap.ts";
import type { PlacedTransfer } from "./transfers.ts";

export type Direction = "in" | "out";

/** The transfers of one transaction, by whose and how much: answers in logarithmic time, whatever number of logs there is. */
export interface Movements {
  /** Those into or out of an account, in order. */
  of(account: Address, direction: Direction): readonly PlacedTransfer[];
  /** Those of exactly this amount, in order, of one token or of any. */
  exactly(account: Address, direction: Direction, amount: bigint, token?: Address): readonly PlacedTransfer[];
}

interface Account {
  readonly all: PlacedTransfer[];
  /** By amount, and by amount and token; made when first asked for: most accounts are no pools. */
  exact?: Map<string, PlacedTransfer[]>;
}

const NONE: readonly PlacedTransfer[] = [];

export function createMovements(transfers: readonly PlacedTransfer[]): Movements {
  const accounts = { in: new Map<Address, Account>(), out: new Map<Address, Account>() };
  for (const transfer of transfers) {
    put(accounts.in, transfer.to, transfer);
    put(accounts.out, transfer.from, transfer);
  }
  return {
    of: (account, direction) => accounts[direction].get(account)?.all ?? NONE,
    exactly(address, direction, amount, token = "") {
      const account = accounts[direction].get(address);
      if (account === undefined) return NONE;
      account.exact ??= byAmount(account.all);
      return account.exact.get(amount.toString(16) + token) ?? NONE;
    },
  };
}

/** Those at positions from ≤ p < to, of transfers in order. */
export function between(transfers: readonly PlacedTransfer[], from: number, to: number): readonly PlacedTransfer[] {
  return transfers.slice(firstFrom(transfers, from), firstFrom(transfers, to));
}

/** Index of the first transfer at or behind a position. */
export function firstFrom(transfers: readonly PlacedTransfer[], position: number): number {
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
