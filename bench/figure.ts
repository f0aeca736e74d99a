import { middle } from "./fit.ts";
import type { Figure } from "./scenario.ts";

/** A promise about a figure: at least, or below. */
export type Goal = { readonly atLeast: number } | { readonly below: number };

/**
 * The samples of all runs as a figure. The median decides whether the goal is met.
 * @throws RangeError without samples, or with one that is not a finite number
 */
export function figure(name: string, unit: string, samples: readonly number[], goal?: Goal): Figure {
  if (samples.length === 0 || !samples.every(Number.isFinite))
    throw new RangeError(`Cannot sum up "${name}": its samples are [${samples}], expected at least one finite number`);
  const sorted = [...samples].sort((a, b) => a - b);
  const median = middle(samples);
  return {
    name,
    unit,
    median: rounded(median),
    min: rounded(sorted[0]!),
    max: rounded(sorted.at(-1)!),
    runs: samples.length,
    goal: goal === undefined ? null : "atLeast" in goal ? goal.atLeast : goal.below,
    met: goal === undefined ? null : "atLeast" in goal ? median >= goal.atLeast : median < goal.below,
  };
}

/** Four digits that mean something; no more whole digits are lost than that. */
const rounded = (value: number): number =>
  Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
