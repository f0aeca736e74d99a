/**
 * What is left of a gross profit. Gas: all that the transactions paid their chain (gas × price, data on L1, blobs). Payments to the block's
 * fee recipient, the bribe for a place: the transaction's value, wrapped coin, and what contracts sent it where the record has a trace; without
 * one there may be more, and net is an upper bound. All in wei of the chain's own coin; a profit in another token by the block's prices.
 *
 * Gas is that of whole transactions: findings that share one each bear all of it.
 */
import { has, hexAt } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { ArbitrageFinding, Profit, SandwichFinding } from "../finding.ts";
import { totalFee } from "../gas/networkFees.ts";
import { type Address, NATIVE } from "../swap.ts";
import { findTransfers } from "../transfers.ts";
import { type Prices, weiOf } from "./prices.ts";
import { tracedValueTo } from "./trace.ts";

export interface ProfitContext {
  readonly view: BlockView;
  readonly prices: Prices;
  /** The chain's wrapped native coin. */
  readonly wrapped: Address | undefined;
}

/** undefined where there is no gross profit to begin with: a router trade that ends in another token. */
export function profitOf(finding: ArbitrageFinding | SandwichFinding, context: ProfitContext): Profit | undefined {
  const { profitToken, profitAmount } = finding;
  if (profitAmount === null) return undefined;
  const transactions =
    finding.kind === "arbitrage" ? [finding.transaction] : [...new Set([...finding.frontruns, ...finding.backruns])];
  const { prices } = context;
  const gasCost = sum(transactions.map((transaction) => totalFee(context.view, context.view.frames[transaction]!)));
  const payments = transactions.map((transaction) => paidToFeeRecipient(transaction, context));
  const paid = sum(payments.map(({ amount }) => amount));
  const inWei = (amount: bigint): bigint | null => weiOf(amount, profitToken, prices, context.wrapped);
  const gross = inWei(profitAmount);
  const net = gross === null || gasCost === null ? null : gross - gasCost - (paid ?? 0n);
  const put = inWei(putIn(finding));
  return {
    gasCost,
    feeRecipientPayment: paid,
    paymentsComplete: payments.every(({ complete }) => complete),
    net,
    roiPercent: net === null || put === null || put === 0n ? null : rounded((Number(net) / Number(put)) * 100),
    gasUsd: gasCost === null ? null : usd(gasCost, prices(NATIVE)),
    grossUsd: usd(profitAmount, prices(profitToken)),
    netUsd: net === null ? null : usd(net, prices(NATIVE)),
  };
}

/** What was risked, in the profit's token. Of an inventory sandwich that is what bought the inventory back. */
function putIn(finding: ArbitrageFinding | SandwichFinding): bigint {
  if (finding.kind === "arbitrage") return finding.startAmount;
  return finding.backrunOut === finding.frontrunIn ? finding.backrunIn : finding.frontrunIn;
}

function paidToFeeRecipient(
  transaction: number,
  { view, wrapped }: ProfitContext,
): { amount: bigint | null; complete: boolean } {
  const frame = view.frames[transaction]!;
  if (!has(view, frame, PRESENT.miner)) return { amount: null, complete: false };
  const recipient = hexAt(view, frame + OFFSET.miner, 20);
  const traced = tracedValueTo(view, frame, recipient);
  let amount = traced ?? 0n;
  for (const transfer of findTransfers(view, transaction, wrapped))
    if (
      transfer.to === recipient &&
      (transfer.kind === "native" || (transfer.kind === "erc20" && transfer.token === wrapped))
    )
      amount += transfer.amount;
  // Its own transactions pay itself: nothing is hidden there, and nothing is a cost.
  const isItsOwn = hexAt(view, frame + OFFSET.from, 20) === recipient;
  return isItsOwn ? { amount: 0n, complete: true } : { amount, complete: traced !== undefined };
}

/** null if one of them is unknown. */
const sum = (amounts: readonly (bigint | null)[]): bigint | null =>
  amounts.reduce((total, amount) => (total === null || amount === null ? null : total + amount), 0n as bigint | null);

const usd = (amount: bigint, price: number | undefined): number | null =>
  price === undefined ? null : rounded(Number(amount) * price);

/** Six decimals: a millionth of a dollar, or of a percent. */
function rounded(value: number): number | null {
  const short = Math.round(value * 1e6) / 1e6;
  return Number.isFinite(short) ? short : null;
}
