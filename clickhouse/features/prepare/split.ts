import { UserError } from "../../../engine/ops/errors.ts";

export const PARTS = ["train", "val", "test"] as const;
export type Part = (typeof PARTS)[number];

export interface SplitOptions {
  /** Shares of the rows; they add up to 1. Default 0.7, 0.15, 0.15. */
  readonly train?: number | undefined;
  readonly val?: number | undefined;
  readonly test?: number | undefined;
  /** Seconds after each cut whose rows are in no part: what looks back over the cut is left out. Default 3600, the longest of the windows but for whole days. */
  readonly embargo?: number | undefined;
}

/** Unix seconds: [from, until) of each part. Infinity: to the end. */
export type Split = Readonly<Record<Part, readonly [from: number, until: number]>>;

/**
 * Cuts by time, since rows of one time, and of neighbouring times, know each other: what is learned is older than what it is tried on.
 * @param counts rows by block time, ascending
 * @throws UserError when shares do not add up to 1, or a part would be empty
 */
export function splitTemporal(
  counts: readonly (readonly [time: number, rows: number])[],
  options: SplitOptions = {},
): Split {
  const { train = 0.7, val = 0.15, test = 0.15, embargo = 3_600 } = options;
  if ([train, val, test].some((share) => !(share > 0)) || Math.abs(train + val + test - 1) > 1e-9)
    throw new UserError(
      `Cannot split into ${train}, ${val} and ${test}: expected three shares above 0 that add up to 1`,
    );
  if (!(embargo >= 0 && Number.isFinite(embargo)))
    throw new UserError(`Cannot split with an embargo of ${embargo}: expected seconds, 0 or more`);
  const total = counts.reduce((sum, [, rows]) => sum + rows, 0);
  /** The first time behind this share of the rows: a time is never cut. */
  const after = (share: number): number => {
    let rows = 0;
    for (const [time, here] of counts) {
      if (rows >= share * total - 1e-6) return time;
      rows += here;
    }
    return Number.POSITIVE_INFINITY;
  };
  const [first, second] = [after(train), after(train + val)];
  const split: Split = {
    train: [Number.NEGATIVE_INFINITY, first],
    val: [first + embargo, second],
    test: [second + embargo, Number.POSITIVE_INFINITY],
  };
  for (const part of PARTS)
    if (!counts.some(([time]) => partOf(split, time) === part))
      throw new UserError(
        `Cannot split ${total} rows of ${counts.length} block times: ${part} would be empty, expected a longer period or an embargo below ${embargo} s`,
      );
  return split;
}

/** The part a row of this time belongs to; undefined within an embargo. */
export const partOf = (split: Split, time: number): Part | undefined =>
  PARTS.find((part) => time >= split[part][0] && time < split[part][1]);
