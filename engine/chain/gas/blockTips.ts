import { bigAt, has, u64AsNumber } from "../../frame/readFrame.ts";
import { FIELD_WIDTH, OFFSET, PRESENT } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { priorityFees, type Tip } from "./priorityFees.ts";

/** What the transactions of a block paid its producer. */
export interface BlockTips {
  /** Wei, of all of them. */
  readonly total: bigint;
  /** Wei per gas, at the percentiles that were asked for (priorityFees.ts). */
  readonly fees: readonly bigint[];
}

/** Up to these sums of products are exact in doubles, cut in two (below). Real fees and blocks are far from it. */
const MAX_FEE = 2 ** 48;
const MAX_GAS = 2 ** 29;
const HALF = 2 ** 24;

/**
 * In numbers, not in BigInts, as long as these are exact: of 150 transactions it takes 20 µs.
 *
 * @returns undefined where a receipt does not say what was paid or used
 */
export function blockTips(
  view: BlockView,
  baseFee: bigint | undefined,
  percentiles: readonly number[],
): BlockTips | undefined {
  const { u32, frames } = view;
  const base = Number(baseFee ?? 0n);
  const [fees, gas] = [new Float64Array(frames.length), new Float64Array(frames.length)];
  let [sum, high, low] = [0, 0, 0];
  let isExact = base < MAX_FEE;
  for (const [i, frame] of frames.entries()) {
    if (!has(view, frame, PRESENT.effectiveGasPrice) || !has(view, frame, PRESENT.gasUsed)) return undefined;
    const at = frame + OFFSET.effectiveGasPrice;
    if (u32[(at >> 2) + 2] !== 0 || u32[(at >> 2) + 3] !== 0) isExact = false;
    const price = u64AsNumber(view, at);
    if (price >= MAX_FEE) isExact = false;
    const fee = Math.max(0, price - base); // Optimism's deposits pay nothing
    fees[i] = fee;
    sum += gas[i] = u64AsNumber(view, frame + OFFSET.gasUsed);
    const part = fee % HALF;
    high += ((fee - part) / HALF) * gas[i];
    low += part * gas[i];
  }
  if (!isExact || sum >= MAX_GAS) return exactTips(view, baseFee ?? 0n, percentiles);
  const order = Uint32Array.from(frames.keys()).sort((a, b) => fees[a]! - fees[b]!);
  return {
    total: BigInt(high) * BigInt(HALF) + BigInt(low),
    fees: percentiles.map((percentile) => {
      const threshold = Math.floor((sum * percentile) / 100);
      let used = 0;
      return BigInt(fees[order.find((i) => (used += gas[i]!) >= threshold) ?? 0]!);
    }),
  };
}

/** The same of amounts that no real chain has. */
function exactTips(view: BlockView, base: bigint, percentiles: readonly number[]): BlockTips {
  const tips = view.frames.map((frame): Tip => {
    const price = bigAt(view, frame + OFFSET.effectiveGasPrice, FIELD_WIDTH.u128);
    const gasUsed = bigAt(view, frame + OFFSET.gasUsed, FIELD_WIDTH.u64);
    return { fee: price > base ? price - base : 0n, gasUsed };
  });
  return {
    total: tips.reduce((sum, { fee, gasUsed }) => sum + fee * gasUsed, 0n),
    fees: priorityFees(tips, percentiles),
  };
}
