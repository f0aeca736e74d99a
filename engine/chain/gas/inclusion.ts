/**
 * When will a transaction be in a block? A model of one line: what got in lately, gets in. Each block has an *entry fee*, the priority
 * fee at the tenth percentile of its gas: below it are mostly transactions that producers put in for other reasons. A transaction is in
 * within h blocks if it pays the lowest entry fee of them. So over all runs of h blocks that follow each other in the recent ones:
 *
 *     tip for a chance p    the smallest that would have done in a share p of the runs
 *     chance of a tip       the share of runs in which it would have done
 *
 * How far that is off is measured: `measureTips` predicts blocks from those before them and looks.
 */
/** A block of the past. */
export interface BlockFees {
  readonly number: number;
  /** Wei per gas; undefined before the chain had one. */
  readonly baseFee: bigint | undefined;
  /** Lowest priority fee that is likely to get in, wei per gas. */
  readonly entryFee: bigint;
}

export const ENTRY_PERCENTILE = 10;

/**
 * The priority fee with which a transaction is in within so many blocks, with a chance.
 *
 * @param blocks ascending by number; gaps are no matter, runs do not reach over them
 * @param chance 0 to 1
 * @returns wei per gas; undefined if no run of so many blocks is known
 */
export function tipFor(blocks: readonly BlockFees[], horizon: number, chance: number): bigint | undefined {
  const lowest = runsOf(blocks, horizon)
    .map((run) => lowestOf(run))
    .sort(ascending);
  return lowest.length === 0 ? undefined : lowest[Math.max(0, Math.ceil(chance * lowest.length) - 1)];
}

/** What a transaction offers at most, wei per gas: a legacy one its gas price for both. */
export interface Offer {
  readonly maxFee: bigint;
  readonly maxPriorityFee: bigint;
}

/**
 * The share of runs of so many blocks of which at least one would have taken it, at their base fees.
 *
 * @returns 0 to 1; undefined if no run of so many blocks is known
 */
export function chanceOf(blocks: readonly BlockFees[], horizon: number, offer: Offer): number | undefined {
  const runs = runsOf(blocks, horizon);
  if (runs.length === 0) return undefined;
  const takes = ({ baseFee = 0n, entryFee }: BlockFees): boolean =>
    offer.maxFee - baseFee >= entryFee && offer.maxPriorityFee >= entryFee;
  return runs.filter((run) => run.some(takes)).length / runs.length;
}

export interface TipError {
  /** Blocks for which a prediction was made and the following ones are known. */
  readonly predictions: number;
  /** Share of them in which the predicted tip did; to be held against the chance that was asked for. */
  readonly hitRate: number;
  /** Median of |predicted − least that did|, wei per gas. */
  readonly medianError: bigint;
}

/**
 * Predicts from each block and those before it, and looks into the following ones, which the prediction has not seen.
 *
 * @param history blocks that a prediction is made from
 * @returns undefined if no prediction can be looked up
 */
export function measureTips(
  blocks: readonly BlockFees[],
  { horizon, chance, history }: { readonly horizon: number; readonly chance: number; readonly history: number },
): TipError | undefined {
  const errors: bigint[] = [];
  let hits = 0;
  for (let at = history; at + horizon <= blocks.length; at++) {
    const [run] = runsOf(blocks.slice(at - 1, at + horizon), horizon + 1);
    const predicted = tipFor(blocks.slice(at - history, at), horizon, chance);
    if (run === undefined || predicted === undefined) continue;
    const needed = lowestOf(run.slice(1));
    if (predicted >= needed) hits++;
    errors.push(predicted > needed ? predicted - needed : needed - predicted);
  }
  if (errors.length === 0) return undefined;
  const medianError = errors.sort(ascending)[Math.floor(errors.length / 2)]!;
  return { predictions: errors.length, hitRate: hits / errors.length, medianError };
}

/** All runs of so many blocks of which each follows the one before it. */
function runsOf(blocks: readonly BlockFees[], length: number): (readonly BlockFees[])[] {
  const runs: (readonly BlockFees[])[] = [];
  for (let end = length; end <= blocks.length; end++) {
    const run = blocks.slice(end - length, end);
    if (run.at(-1)!.number - run[0]!.number === length - 1) runs.push(run);
  }
  return runs;
}

const lowestOf = (run: readonly BlockFees[]): bigint => run.map(({ entryFee }) => entryFee).sort(ascending)[0]!;

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
