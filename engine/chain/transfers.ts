import {
  bigAt,
  has,
  hexAt,
  logCount,
  logDataLength,
  logIndex,
  logsAt,
  logTopicAt,
  logTopicCount,
  nextEntry,
} from "../frame/readFrame.ts";
import { LOG, OFFSET, PRESENT } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";
import { createEvent, isAddressAt } from "./event.ts";
import { type Address, NATIVE, type Transfer } from "./swap.ts";
import { createTopicTable } from "./topicTable.ts";

/** Whom what is minted or wrapped comes from, and what is burned or unwrapped goes to. */
export const ZERO: Address = `0x${"0".repeat(40)}`;

/** ERC-721's Transfer has the same topic and a fourth one, the token's id: it is none of these. */
const transfer = createEvent("Transfer", ["indexed address", "indexed address", "uint256"]);
const deposit = createEvent("Deposit", ["indexed address", "uint256"]);
const withdrawal = createEvent("Withdrawal", ["indexed address", "uint256"]);

/** Topics by event; a test computes them from the signatures. */
export const TRANSFER_EVENTS = [
  { event: transfer, topic0: "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" },
  { event: deposit, topic0: "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c" },
  { event: withdrawal, topic0: "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65" },
] as const;
const [TRANSFER, DEPOSIT] = [0, 1];
const table = createTopicTable(TRANSFER_EVENTS.map(({ topic0 }) => topic0));
/** How many addresses each event has among its topics. Its data are one word, the amount. */
const PARTIES = [2, 1, 1];

/**
 * What a log moves, as an index in TRANSFER_EVENTS; -1: nothing. Says the same of a log as `findTransfers`, and makes nothing of it: for who
 * copies the words of all transfers there are.
 */
export function transferEventOf(view: BlockView, log: number, wrapped: Address | undefined): number {
  const found = table.find(view, log);
  if (found < 0) return -1;
  const parties = PARTIES[found]!;
  if (logTopicCount(view, log) !== 1 + parties || logDataLength(view, log) !== 32) return -1;
  for (let topic = 1; topic <= parties; topic++) if (!isAddressAt(view, logTopicAt(log, topic))) return -1;
  return found === TRANSFER || hexAt(view, log + LOG.address, 20) === wrapped ? found : -1;
}

/** A transfer and how many logs of the receipt come before its own; -1: the transaction's value. */
export interface PlacedTransfer extends Transfer {
  readonly position: number;
}

/**
 * What a transaction moved, as its receipt tells, in order: its own value first, then ERC-20 transfers and what was wrapped and unwrapped.
 * Nothing if it reverted, or is pending. A contract that logs what it never did is a token of its own: whose log it is, is what moved.
 *
 * @param transaction its number in the view
 * @param wrapped the chain's wrapped coin; only its deposits and withdrawals count
 */
export function findTransfers(view: BlockView, transaction: number, wrapped: Address | undefined): PlacedTransfer[] {
  const frame = view.frames[transaction]!;
  if (!hasHappened(view, frame)) return [];
  const transfers = nativeTransfer(view, frame);
  const count = logCount(view, frame);
  for (let position = 0, log = logsAt(view, frame); position < count; position++, log = nextEntry(view, log)) {
    const found = table.find(view, log);
    if (found < 0) continue;
    const token = hexAt(view, log + LOG.address, 20);
    if (found === TRANSFER) {
      const values = transfer.read(view, log);
      if (values === undefined) continue;
      const [from, to, amount] = values;
      transfers.push({ position, logIndex: logIndex(view, log), token, from, to, amount, kind: "erc20" });
    } else if (token === wrapped) {
      const isDeposit = found === DEPOSIT;
      const values = (isDeposit ? deposit : withdrawal).read(view, log);
      if (values === undefined) continue;
      const [account, amount] = values;
      const [from, to] = isDeposit ? [ZERO, account] : [account, ZERO];
      const kind = isDeposit ? "deposit" : "withdrawal";
      transfers.push({ position, logIndex: logIndex(view, log), token, from, to, amount, kind });
    }
  }
  return transfers;
}

/** Mined, and not reverted: what its logs say has happened. A receipt without a status is of before Byzantium, which kept no logs of the reverted. */
export function hasHappened(view: BlockView, frame: number): boolean {
  if (!has(view, frame, PRESENT.receipt)) return false;
  return !has(view, frame, PRESENT.status) || view.bytes[frame + OFFSET.status] === 1;
}

function nativeTransfer(view: BlockView, frame: number): PlacedTransfer[] {
  const amount = bigAt(view, frame + OFFSET.value, 32);
  if (amount === 0n) return [];
  const recipient = has(view, frame, PRESENT.to) ? OFFSET.to : OFFSET.contractAddress;
  const to = hexAt(view, frame + recipient, 20);
  const from = hexAt(view, frame + OFFSET.from, 20);
  return [{ position: -1, logIndex: -1, token: NATIVE, from, to, amount, kind: "native" }];
}
