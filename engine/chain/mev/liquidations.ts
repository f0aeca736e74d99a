/**
 * Liquidation: a log by which a lending protocol says that somebody repaid another one's debt and got collateral for it. What each
 * protocol's log says, and what the transfers around it add: lenders/.
 */
import { hexAt, logCount, logIndex, logsAt, nextEntry } from "../../frame/readFrame.ts";
import { LOG, OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { LiquidationFinding } from "../finding.ts";
import type { Address } from "../swap.ts";
import { createTopicTable } from "../topicTable.ts";
import { findTransfers, hasHappened, type PlacedTransfer } from "../transfers.ts";
import { alike } from "./cycles.ts";
import { aave } from "./lenders/aave.ts";
import { compound } from "./lenders/compound.ts";
import type { Lender, Reading, Receipt } from "./lenders/lender.ts";
import { maker } from "./lenders/maker.ts";
import { others } from "./lenders/others.ts";

export const LENDERS: readonly Lender[] = [...aave, ...compound, ...maker, ...others];
const table = createTopicTable(LENDERS.map(({ topic0 }) => topic0));

/** @param wrapped the chain's wrapped coin */
export function findLiquidations(view: BlockView, wrapped: Address | undefined): LiquidationFinding[] {
  const findings: LiquidationFinding[] = [];
  for (const [transaction, frame] of view.frames.entries()) {
    const count = logCount(view, frame);
    let receipt: Omit<Receipt, "contract" | "position"> | undefined;
    for (let position = 0, log = logsAt(view, frame); position < count; position++, log = nextEntry(view, log)) {
      const found = table.find(view, log);
      if (found < 0 || !hasHappened(view, frame)) continue;
      receipt ??= {
        sender: hexAt(view, frame + OFFSET.from, 20),
        transfers: findTransfers(view, transaction, wrapped),
        logs: logsOf(view, frame),
      };
      const contract = hexAt(view, log + LOG.address, 20);
      const lender = LENDERS[found]!;
      const index = logIndex(view, log);
      for (const reading of lender.read(view, log, { ...receipt, contract, position }))
        findings.push(judge(lender, reading, { transaction, logIndex: index, pool: contract }, receipt));
    }
  }
  return findings;
}

function logsOf(view: BlockView, frame: number): number[] {
  const logs: number[] = [];
  for (let i = logCount(view, frame), log = logsAt(view, frame); i > 0; i--, log = nextEntry(view, log)) logs.push(log);
  return logs;
}

type Place = Pick<LiquidationFinding, "transaction" | "logIndex" | "pool">;

function judge(lender: Lender, { doubt, ...reading }: Reading, place: Place, receipt: Pick<Receipt, "transfers">) {
  const { protocol, proven, ledger, signature } = lender;
  const paid = ledger ? [] : receipt.transfers.filter((transfer) => isPartOf(reading, transfer));
  const doubts: string[] = [];
  if (doubt) doubts.push(doubt);
  if (!proven) doubts.push("logs of this protocol were not checked against a real one");
  if (!ledger && paid.length === 0) doubts.push("no transfer of the receipt bears it out");
  const finding: LiquidationFinding = {
    kind: "liquidation",
    protocol,
    ...reading,
    ...place,
    confidence: doubts.length === 0 ? "high" : doubts.length === 1 && doubt ? "medium" : "low",
    reason: [`${signature.slice(0, signature.indexOf("("))} of the market`, ...doubts].join("; "),
    evidence: [...new Set([place.logIndex, ...paid.map(({ logIndex: index }) => index).filter((index) => index >= 0)])],
  };
  return finding;
}

/** The liquidator pays the debt, or more with interest; the liquidator gets the collateral. */
function isPartOf(reading: Reading, { token, from, to, amount }: PlacedTransfer): boolean {
  const { liquidator, debtToken, debtAmount, collateralToken, collateralAmount } = reading;
  if (token === debtToken && from === liquidator) return alike(amount, debtAmount);
  return token === collateralToken && to === liquidator && amount === collateralAmount;
}
