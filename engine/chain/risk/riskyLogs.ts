import {
  has,
  logCount,
  logDataAt,
  logDataLength,
  logsAt,
  logTopicAt,
  logTopicCount,
  nextEntry,
} from "../../frame/readFrame.ts";
import { PRESENT } from "../../frame/schema.ts";
import type { ListTable } from "../../world/listTable.ts";
import type { BlockView } from "../blockView.ts";
import { createTopicTable } from "../topicTable.ts";
import { RISK } from "./factors.ts";
import { isZero } from "./riskyCalls.ts";

/** Topics by what they say; a test computes them from the signatures. */
export const RISK_EVENTS = [
  { signature: "Approval(address,address,uint256)", topic0: "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925" },
  { signature: "ApprovalForAll(address,address,bool)", topic0: "0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31" },
  { signature: "Upgraded(address)", topic0: "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b" },
  { signature: "AdminChanged(address,address)", topic0: "0x7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f" },
  { signature: "BeaconUpgraded(address)", topic0: "0x1cf3b03a6cf19fa2baba4df148e9dcabedea7f8a5c07840e207e5c089be95d3e" },
  { signature: "OwnershipTransferred(address,address)", topic0: "0x8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0" },
] as const; // biome-ignore format: a line each
const [APPROVAL, APPROVAL_FOR_ALL, UPGRADED, ADMIN_CHANGED, BEACON_UPGRADED] = [0, 1, 2, 3, 4];
const events = createTopicTable(RISK_EVENTS.map(({ topic0 }) => topic0));

/**
 * Factors of what a mined transaction did, in a wrapper of whatever kind, by its logs.
 *
 * @param frame byte offset  @param knownBad undefined: nobody is
 */
export function logRisk(view: BlockView, frame: number, knownBad: ListTable | undefined): number {
  let mask = 0;
  const isCreation = !has(view, frame, PRESENT.to);
  for (let left = logCount(view, frame), log = logsAt(view, frame); left > 0; left--, log = nextEntry(view, log)) {
    const found = events.find(view, log);
    if (found < 0) continue;
    const topics = logTopicCount(view, log);
    const data = logDataAt(view, log);
    const words = logDataLength(view, log) / 32;
    if (found === APPROVAL) {
      if (topics !== 3 || words !== 1 || isZero(view.bytes, data)) continue;
      if (isAll(view.bytes, data)) mask |= RISK.unlimited_approval;
      if (knownBad?.has(view.u32, (logTopicAt(log, 2) + 12) >> 2)) mask |= RISK.known_bad;
    } else if (found === APPROVAL_FOR_ALL) {
      if (topics === 3 && words === 1 && !isZero(view.bytes, data)) mask |= RISK.approval_for_all;
    } else if (isCreation) {
      // a new contract's first code, admin and owner
    } else if (found === UPGRADED || found === BEACON_UPGRADED) {
      if (topics === 2) mask |= RISK.proxy_change;
    } else if (found === ADMIN_CHANGED) {
      if (words === 2 && !isZero(view.bytes, data)) mask |= RISK.proxy_change; // from nobody: its first
    } else if (topics === 3 && !isZero(view.bytes, logTopicAt(log, 1))) mask |= RISK.ownership_change;
  }
  return mask;
}

/** A word of 256 or 96 ones, exactly: tokens that count down log with each use what is left, which is no new approval. */
function isAll(bytes: Uint8Array, word: number): boolean {
  const ones = isZero(bytes, word, 20) ? 20 : 0;
  for (let i = ones; i < 32; i++) if (bytes[word + i] !== 0xff) return false;
  return true;
}
