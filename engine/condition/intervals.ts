/** Sets of whole numbers as intervals, and whether what is absent belongs to them: what any condition on an integer comes to. */

/** [from, to): half open. */
export type Interval = readonly [from: bigint, to: bigint];

export interface NumberSet {
  /** Ascending, not touching. */
  readonly intervals: readonly Interval[];
  /** Does a transaction that lacks the field belong to it? */
  readonly absent: boolean;
}

/** One above the largest value that there is. */
export const END = 2n ** 256n;

export const EVERYTHING: NumberSet = { intervals: [[0n, END]], absent: true };

export const atLeast = (from: bigint): NumberSet => ({ intervals: from < END ? [[from, END]] : [], absent: false });
export const below = (to: bigint): NumberSet => ({
  intervals: to > 0n ? [[0n, to < END ? to : END]] : [],
  absent: false,
});

export function complement({ intervals, absent }: NumberSet): NumberSet {
  const gaps: Interval[] = [];
  let from = 0n;
  for (const [start, end] of intervals) {
    if (start > from) gaps.push([from, start]);
    from = end;
  }
  if (from < END) gaps.push([from, END]);
  return { intervals: gaps, absent: !absent };
}

export function union(sets: readonly NumberSet[]): NumberSet {
  const all = sets.flatMap(({ intervals }) => intervals).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const merged: [bigint, bigint][] = [];
  for (const [from, to] of all) {
    const last = merged.at(-1);
    if (last && from <= last[1]) {
      if (to > last[1]) last[1] = to;
    } else merged.push([from, to]);
  }
  return { intervals: merged, absent: sets.some(({ absent }) => absent) };
}

/** Both: by De Morgan. */
export const intersection = (a: NumberSet, b: NumberSet): NumberSet =>
  complement(union([complement(a), complement(b)]));

export const isNothing = ({ intervals, absent }: NumberSet): boolean => intervals.length === 0 && !absent;
