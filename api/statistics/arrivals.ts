/** What came in, kept by day, and by 32 days where it is older: its tables change with every insert, and then what is asked for is read anew; until then it is read once. */
import type { Unit } from "../../clickhouse/queries/hours.ts";
import { type ArrivalRow, arrivalsQuery } from "../../clickhouse/queries/stats.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import { createKept, type PieceName } from "./kept.ts";
import type { Moment } from "./moment.ts";
import { isAsked, type Read } from "./openHours.ts";

export interface Arrivals {
  /** Several rows of one period add up. */
  rows(moment: Moment, filter: CommonFilter, unit: Unit): Promise<readonly ArrivalRow[]>;
}

/** The roll-ups; and what replaced blocks said is counted in the rows themselves. */
const TABLES = ["transactions_per_minute", "alerts_per_minute", "transactions", "alerts", "replaced_blocks"];
const DAY_MS = 86_400_000;
const OLD_DAYS = 32;
/** Ten years. More is not kept. */
const MAX_DAYS = 3_653;
/** About 20 MB: hours of half a year and four chains. */
const MAX_ROWS = 50_000;

/** Some days, from the start of the first until the last ends. */
interface Days {
  readonly key: string;
  readonly since: Date;
  /** undefined: what claims to be of later days, too */
  readonly until: Date | undefined;
}
interface DaysRows extends PieceName {
  readonly rows: readonly ArrivalRow[];
}

/** @param now in ms, of any clock @param maxAgeMs as moments have it */
export function createArrivals(read: Read, now: () => number, maxAgeMs: number): Arrivals {
  const kept = createKept<DaysRows>(MAX_ROWS, ({ rows }) => rows.length);

  const query = (moment: Moment, filter: CommonFilter, unit: Unit): Promise<ArrivalRow[]> =>
    read<ArrivalRow>(arrivalsQuery(filter, unit, moment.has("replaced_blocks")));

  return {
    async rows(moment, filter, unit) {
      const days = daysOf(filter);
      if (days === undefined)
        return moment.read(JSON.stringify(["arrivals", filter.chainId, filter.since, filter.until, unit]), TABLES, () => query(moment, filter, unit)); // biome-ignore format: one line
      const version = `${moment.version(TABLES)} ${Math.floor(now() / maxAgeMs)}`;
      const wanted = days.map((some) => ({ ...some, version }));
      const taken = await kept.take(unit, wanted, async (missing) => {
        const rows = await query(moment, { since: missing[0]!.since, until: missing.at(-1)!.until }, unit);
        return missing.map((some) => ({ ...some, rows: rows.filter(isAsked(some)) }));
      });
      return taken.flatMap(({ rows }) => rows.filter(isAsked(filter)));
    },
  };
}

/** Oldest first; undefined: from when on is not said, or it is too long ago. */
function daysOf({ since, until }: CommonFilter): Days[] | undefined {
  if (since === undefined) return undefined;
  const first = Math.floor(since.getTime() / DAY_MS);
  const today = Math.floor(Date.now() / DAY_MS);
  const end = until === undefined ? Math.max(today, first) : Math.ceil(until.getTime() / DAY_MS);
  if (end - first > MAX_DAYS) return undefined;
  const days: Days[] = [];
  const isOld = (day: number): boolean => day + OLD_DAYS <= today - OLD_DAYS;
  const startOf = (day: number): number => (isOld(day) ? day - (day % OLD_DAYS) : day);
  for (let day = startOf(first), next: number; day < end; day = next) {
    next = day % OLD_DAYS === 0 && isOld(day) ? day + OLD_DAYS : day + 1;
    days.push({ key: `${day} ${next - day}`, since: new Date(day * DAY_MS), until: new Date(next * DAY_MS) });
  }
  if (until === undefined) days.push({ key: `${end} on`, since: new Date(end * DAY_MS), until: undefined });
  return days;
}
