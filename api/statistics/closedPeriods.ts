/**
 * Closed hours, and days made of them. Which there are is one small statement whenever an hour is closed or opened; what they come to is read once and kept
 * (kept.ts). Rows bear their version, so what is kept is known to be right without asking again.
 */
import {
  type ClosedHour,
  closedHoursQuery,
  type Definition,
  type Period,
  periodOf,
  type Unit,
  versionOf,
} from "../../clickhouse/queries/hours.ts";
import type { Kept, PieceName } from "./kept.ts";
import type { Moment } from "./moment.ts";
import type { Read } from "./openHours.ts";

/** An hour or day as it is now. */
export interface ClosedPeriod extends Period, PieceName {
  /** Who did something in its hours; who did in several is counted in each. */
  readonly senders: number;
}

/** Of a statement: its answer is some megabytes. */
const PERIODS = 500;
const SENDERS = 20_000;

export const keyOf = ({ chain, hour }: Period): string => `${chain} ${hour}`;

/** @returns whether a period is one of these */
export function isIn(periods: readonly Period[]): (period: Period) => boolean {
  const keys = new Set(periods.map(keyOf));
  return (period) => keys.has(keyOf(period));
}

/** Oldest first. @param since of all time if undefined */
export async function closedPeriods(
  read: Read,
  moment: Moment,
  ...[since, unit, definition]: [since: Date | undefined, unit: Unit, definition: Definition]
): Promise<readonly ClosedPeriod[]> {
  const name = `closed ${since?.getTime()} ${definition}`;
  const hours = await moment.read(name, ["stats_hours"], () => read<ClosedHour>(closedHoursQuery(definition, since)));
  return moment.make<ClosedPeriod[]>(
    `${name} by ${unit}`,
    ["stats_hours"],
    async () => {
      const of = new Map<string, ClosedHour[]>();
      for (const hour of hours) {
        const key = keyOf(periodOf(unit, hour));
        const known = of.get(key);
        if (known) known.push(hour);
        else of.set(key, [hour]);
      }
      return [...of].map(([key, mine]) => {
        const senders = mine.reduce((sum, { senders }) => sum + senders, 0);
        return { ...periodOf(unit, mine[0]!), key, version: versionOf(mine), senders };
      });
    },
    ({ length }) => length,
  );
}

/**
 * @param name of what is kept of them
 * @param readSome of as many as a statement may ask for
 * @param withOthers what else to read when some are missing, which will be asked for soon
 */
export async function takeClosed<T extends PieceName>(
  moment: Moment,
  kept: Kept<T>,
  name: string,
  wanted: readonly ClosedPeriod[],
  readSome: (some: readonly ClosedPeriod[]) => Promise<readonly T[]>,
  withOthers = (missing: readonly ClosedPeriod[]) => missing,
): Promise<T[]> {
  const taken = await kept.take(name, wanted, async (missing) => {
    const found: T[] = [];
    for (const some of cut(withOthers(missing))) found.push(...(await readSome(some)));
    return found;
  });
  const versions = new Map(taken.map(({ key, version }) => [key, version]));
  if (!wanted.every(({ key, version }) => versions.get(key) === version)) moment.moved();
  return taken;
}

function cut(periods: readonly ClosedPeriod[]): ClosedPeriod[][] {
  const cuts: ClosedPeriod[][] = [];
  let senders = Number.POSITIVE_INFINITY;
  for (const period of periods) {
    senders += period.senders;
    if (senders > SENDERS || cuts.at(-1)!.length === PERIODS) {
      cuts.push([]);
      senders = period.senders;
    }
    cuts.at(-1)!.push(period);
  }
  return cuts;
}
