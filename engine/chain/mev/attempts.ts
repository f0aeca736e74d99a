/**
 * Failed attempt: a transaction that reverted, sent by or to an account that searches: one that made an arbitrage or a sandwich in the
 * same block, or that is known from elsewhere. What it was after is in its trace, not in its receipt.
 */
import { has, hexAt } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { AttemptFinding } from "../finding.ts";
import type { Address } from "../swap.ts";

/** @param searchers why each is known, by account: words behind "it" */
export function findAttempts(view: BlockView, searchers: ReadonlyMap<Address, string>): AttemptFinding[] {
  const findings: AttemptFinding[] = [];
  if (searchers.size === 0) return findings;
  for (const [transaction, frame] of view.frames.entries()) {
    if (!hasReverted(view, frame)) continue;
    const [to, from] = [hexAt(view, frame + OFFSET.to, 20), hexAt(view, frame + OFFSET.from, 20)];
    const searcher = searchers.has(to) ? to : from;
    const why = searchers.get(searcher);
    if (why === undefined) continue;
    findings.push({
      kind: "attempt",
      transaction,
      logIndex: -1,
      searcher,
      confidence: "medium",
      reason: `reverted; ${searcher === to ? "its recipient" : "its sender"} ${why}`,
      evidence: [],
    });
  }
  return findings;
}

const hasReverted = (view: BlockView, frame: number): boolean =>
  has(view, frame, PRESENT.status) && view.bytes[frame + OFFSET.status] === 0;
