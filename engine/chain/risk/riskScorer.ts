import { has, inputAt, inputLength, logCount, u64AsNumber } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import { type Baselines, type ChainBaselines, OUTLIER } from "../../world/baselines.ts";
import type { ListTable } from "../../world/listTable.ts";
import type { BlockView } from "../blockView.ts";
import { callsOf } from "../calls/calls.ts";
import { RISK } from "./factors.ts";
import { priceOutliers } from "./priceOutliers.ts";
import { callRisk, PERMIT2_COMMAND, roleAt, spenderAt } from "./riskyCalls.ts";
import { logRisk } from "./riskyLogs.ts";

/** What a worker knows beyond the block. What is not given makes no factor. */
export interface RiskKnowledge {
  /** Addresses: the list `known-bad`. */
  readonly knownBad?: ListTable | undefined;
  readonly baselines?: ChainBaselines | undefined;
  /** Addresses of contracts that were created lately. */
  readonly fresh?: ListTable | undefined;
}

/**
 * Factors of each transaction of a view, as masks (factors.ts), from what it asks for and, once it is mined, what its logs say.
 *
 * 1.1 µs of CPU a real transaction (npm run bench -- chain). Nothing is allocated but for one whose call hands on others.
 *
 * @param masks where they go, by number of the transaction: at least as many as there are frames
 * @param victims numbers of transactions that were sandwiched
 */
export type RiskScorer = (view: BlockView, masks: Uint32Array, victims?: ReadonlySet<number>) => void;

export function createRiskScorer({ knownBad, baselines: ofChains, fresh }: RiskKnowledge = {}): RiskScorer {
  /** Of the chain of the transaction that is looked at: in a batch there are few, one behind the other. */
  let chainId = -1;
  let baselines: Baselines | undefined;
  const isBad = knownBad !== undefined && knownBad.size > 0;
  const isListed = (list: ListTable, view: BlockView, at: number): boolean => list.has(view.u32, at >> 2);

  return (view, masks, victims) => {
    priceOutliers(view, masks); // sets all of them
    for (let i = 0; i < view.frames.length; i++) {
      const frame = view.frames[i]!;
      let mask = masks[i]!;
      if (ofChains !== undefined) {
        const chain = u64AsNumber(view, frame + OFFSET.chainId);
        if (chain !== chainId) baselines = ofChains.get((chainId = chain));
      }
      if (isBad && isListed(knownBad, view, frame + OFFSET.from)) mask |= RISK.known_bad;
      if (!has(view, frame, PRESENT.to)) mask |= RISK.fresh_contract;
      else {
        if (isBad && isListed(knownBad, view, frame + OFFSET.to)) mask |= RISK.known_bad;
        if (fresh !== undefined && isListed(fresh, view, frame + OFFSET.to)) mask |= RISK.fresh_contract;
        if (inputLength(view, frame) >= 4) mask |= ofInput(view, frame);
      }
      if (baselines !== undefined) mask |= ofBaselines(view, frame, baselines);
      if (logCount(view, frame) > 0) mask |= logRisk(view, frame, isBad ? knownBad : undefined);
      if (victims?.has(i)) mask |= RISK.sandwich_exposure;
      masks[i] = mask;
    }
  };

  function ofInput(view: BlockView, frame: number): number {
    const at = inputAt(view, frame);
    const end = at + inputLength(view, frame);
    const role = roleAt(view, at);
    if (role === undefined) return baselines?.has("selector_gas", view.u32, at >> 2) ? 0 : RISK.unverified_selector;
    let mask = callRisk(view, role, at + 4, end);
    if (isBad) {
      const spender = spenderAt(role, at + 4, end);
      if (spender >= 0 && isListed(knownBad, view, spender)) mask |= RISK.known_bad;
    }
    return role.container ? mask | ofCalls(view, frame) : mask;
  }

  /** Of calls that the transaction's own hands on. */
  function ofCalls(view: BlockView, frame: number): number {
    let mask = 0;
    const base = inputAt(view, frame);
    for (const { parent, selector, name, to, kind, offset, length } of callsOf(view, frame).calls) {
      if (parent < 0) continue;
      const start = base + offset;
      if (isBad && to !== null && isListedHex(to)) mask |= RISK.known_bad;
      const command = kind === "command" && name === "PERMIT2_PERMIT";
      const role = command ? PERMIT2_COMMAND : selector === null ? undefined : roleAt(view, start);
      if (role === undefined) continue;
      const args = command ? start : start + 4;
      mask |= callRisk(view, role, args, start + length);
      const spender = isBad ? spenderAt(role, args, start + length) : -1;
      if (spender >= 0 && isListedBytes(view.bytes.subarray(spender, spender + 20))) mask |= RISK.known_bad;
    }
    return mask;
  }

  /** Of bytes at any place: a list is asked in words. */
  function isListedBytes(address: Uint8Array): boolean {
    return knownBad!.has(new Uint32Array(Uint8Array.from(address).buffer), 0);
  }

  function isListedHex(address: string): boolean {
    return isListedBytes(Buffer.from(address.slice(2), "hex"));
  }
}

function ofBaselines(view: BlockView, frame: number, baselines: Baselines): number {
  let mask = 0;
  const value = u64AsNumber(view, frame + OFFSET.value) + 2 ** 64 * u64AsNumber(view, frame + OFFSET.value + 8); // up to 3 × 10^20 ether
  if (value > 0) {
    const deviation = baselines.deviation("sender_value", view.u32, (frame + OFFSET.from) >> 2, value);
    if (deviation !== undefined && deviation > OUTLIER) mask |= RISK.value_outlier;
  }
  if (inputLength(view, frame) >= 4) {
    const gas = u64AsNumber(view, frame + OFFSET.gas);
    const deviation = baselines.deviation("selector_gas", view.u32, inputAt(view, frame) >> 2, gas);
    if (deviation !== undefined && deviation > OUTLIER) mask |= RISK.gas_outlier;
  }
  return mask;
}
