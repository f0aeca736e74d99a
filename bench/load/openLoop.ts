/** Load at a rate that does not wait for answers, and percentiles that do not leave out what came late. */

export interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
  /** The i-th thing to do, which was due at `due` (ms of performance.now), however late it is now. */
  readonly fire: (i: number, due: number) => void;
}

/** Resolves when the last was fired. What is late is fired at once, all of it: a stall costs those that were due in it, not the clock. */
export async function openLoop({ perSecond, seconds, fire }: OpenLoop): Promise<void> {
  const began = performance.now();
  const total = Math.round(perSecond * seconds);
  for (let i = 0; i < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * perSecond) + 1);
    for (; i < due; i++) fire(i, began + (i / perSecond) * 1_000);
    if (i < total) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The sample below which this share of them lies (nearest rank). @throws RangeError without samples */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError("Cannot take a percentile: there are no samples, expected some");
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}
