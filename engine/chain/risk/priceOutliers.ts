import { has, u64AsNumber } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import { MIN_SAMPLES, OUTLIER, robustDeviation } from "../../world/baselines.ts";
import type { BlockView } from "../blockView.ts";
import { RISK } from "./factors.ts";

let scratch = new Float64Array(1_024);

/**
 * Sets each transaction's mask: `gas_outlier` for those whose price is over 3.5 robust deviations above their block's median, 0 for all
 * others. Of blocks with few prices, of those that are not complete (their median would depend on where a batch was cut), and of pending
 * transactions, nothing is said.
 */
export function priceOutliers(view: BlockView, masks: Uint32Array): void {
  const { frames } = view;
  masks.fill(0, 0, frames.length);
  if (!view.complete) return;
  if (scratch.length < 2 * frames.length) scratch = new Float64Array(4 * frames.length);
  let count = 0;
  for (let i = 0; i < frames.length; i++) {
    const price = priceOf(view, frames[i]!);
    if (price >= 0) scratch[count++] = Math.log2(1 + price);
  }
  if (count < MIN_SAMPLES) return;
  const logs = scratch.subarray(0, count);
  const median = middleOf(logs);
  const distances = scratch.subarray(count, 2 * count);
  for (let i = 0; i < count; i++) distances[i] = Math.abs(logs[i]! - median);
  const mad = middleOf(distances);
  for (let i = 0; i < frames.length; i++) {
    const price = priceOf(view, frames[i]!);
    if (price >= 0 && robustDeviation(price, median, mad) > OUTLIER) masks[i] = RISK.gas_outlier;
  }
}

/** Wei per gas that it paid; -1: unknown. */
const priceOf = (view: BlockView, frame: number): number =>
  has(view, frame, PRESENT.effectiveGasPrice) && has(view, frame, PRESENT.blockNumber)
    ? u64AsNumber(view, frame + OFFSET.effectiveGasPrice) +
      2 ** 64 * u64AsNumber(view, frame + OFFSET.effectiveGasPrice + 8)
    : -1;

/** The upper median; sorts them. */
const middleOf = (numbers: Float64Array): number => numbers.sort()[numbers.length >> 1]!;
