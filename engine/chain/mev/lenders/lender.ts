import type { BlockView } from "../../blockView.ts";
import type { LiquidationFinding } from "../../finding.ts";
import type { Address } from "../../swap.ts";
import type { PlacedTransfer } from "../../transfers.ts";

/** A log that says a liquidation happened, and how to read it. */
export interface Lender {
  readonly protocol: string;
  /** The event as Solidity writes it: `topic0` is its hash, a test computes it. */
  readonly signature: string;
  readonly topic0: string;
  /** A real log of it is among the fixtures. What is not proven is never of high confidence. */
  readonly proven: boolean;
  /** It keeps its tokens in a ledger of its own, so that no transfer shows what moved. */
  readonly ledger?: true;
  /** Nothing where the log cannot be that event, or says nothing of its own. */
  read(view: BlockView, log: number, receipt: Receipt): readonly Reading[];
}

export type Reading = Pick<
  LiquidationFinding,
  "liquidator" | "user" | "debtToken" | "debtAmount" | "collateralToken" | "collateralAmount"
> & {
  /** Of a fork that shares the event. */
  readonly protocol?: string;
  /** Why it is less than certain. */
  readonly doubt?: string;
};

/** Where the log stands. */
export interface Receipt {
  /** Whose log it is. */
  readonly contract: Address;
  readonly sender: Address;
  /** Of the whole transaction, in order; `position` compares with the log's. */
  readonly transfers: readonly PlacedTransfer[];
  readonly position: number;
  /** Byte offsets of the transaction's logs: this one's is logs[position]. */
  readonly logs: readonly number[];
}

/** The nearest transfer before the log that fits. */
export function transferBefore(
  { transfers, position }: Receipt,
  fits: (transfer: PlacedTransfer) => boolean,
): PlacedTransfer | undefined {
  return transfers.findLast((transfer) => transfer.position < position && fits(transfer));
}

/** The nearest to the log on either side, before it if both are there. */
export function transferAround(receipt: Receipt, fits: (transfer: PlacedTransfer) => boolean) {
  return transferBefore(receipt, fits) ?? receipt.transfers.find(fits);
}
