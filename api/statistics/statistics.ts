/** Statistics by hour and day, and the leaderboard, for all routes of an API process; engine/statistics/README.md has how they are put together. */
import type { Ranking } from "../../clickhouse/queries/arbitrageurs.ts";
import type { Definition, Unit } from "../../clickhouse/queries/hours.ts";
import { ROW_SETTINGS } from "../../clickhouse/queries/readList.ts";
import type { CommonFilter, Query } from "../../clickhouse/queries/types.ts";
import type { Versions } from "../cache/versions.ts";
import type { ReadableStore } from "../deps.ts";
import { READ_SETTINGS } from "../list.ts";
import { createArrivals } from "./arrivals.ts";
import { createClosedSenders } from "./closedSenders.ts";
import { createKept } from "./kept.ts";
import { readLeaders } from "./leaderboard.ts";
import { createMoments, type Moment, type MomentOptions } from "./moment.ts";
import { openFigures, openSenders, scopeOf } from "./openHours.ts";
import { type ClosedFigures, readPeriods, type StatsRow } from "./periods.ts";
import type { Leaders } from "./rank.ts";

export interface Statistics {
  /** Newest first, and by chain. @param filter `since` and `until` are starts of hours, or of days */
  periods(filter: CommonFilter, unit: Unit, definition: Definition): Promise<StatsRow[]>;
  /** @param filter whole hours */
  leaders(
    filter: CommonFilter,
    definition: Definition,
    ranking: Ranking,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<Leaders>;
  /** Computes open hours as of these versions, so that who asks next need not wait for it: those that were asked for a short time ago. */
  prepare(versions: Versions): Promise<void>;
}

/** About 40 MB: hours of two years and four chains. */
const MAX_FIGURES = 75_000;
/** Who looks at figures as they change asks more often. */
const PREPARED_MS = 10_000;

export function createStatistics(store: ReadableStore, options: MomentOptions): Statistics {
  const { now, maxAgeMs } = options;
  const moments = createMoments(options);
  const read = <T>({ sql, params }: Query): Promise<T[]> =>
    store.rows<T>(sql, { ...params }, { ...READ_SETTINGS, ...ROW_SETTINGS });
  const figures = createKept<ClosedFigures>(MAX_FIGURES, () => 0);
  const senders = createClosedSenders(read);
  const arrivals = createArrivals(read, now, maxAgeMs);
  const asked = new Map<string, { readonly at: number; readonly make: (moment: Moment) => Promise<unknown> }>();

  function remind(name: string, make: (moment: Moment) => Promise<unknown>): void {
    asked.set(name, { at: now(), make });
  }

  return {
    periods(filter, unit, definition) {
      const since = scopeOf(filter);
      remind(`${unit} ${definition} ${since?.getTime()}`, (moment) => openFigures(read, moment, since, unit, definition)); // biome-ignore format: one line
      return moments.now((moment) => readPeriods({ read, arrivals, figures }, moment, filter, unit, definition));
    },
    leaders(filter, definition, ranking, page) {
      const since = scopeOf(filter);
      remind(`leaders ${definition} ${since?.getTime()}`, (moment) =>
        openSenders(read, moment, since, definition, senders.people()),
      );
      return moments.now((moment) => readLeaders(read, senders, moment, filter, definition, ranking, page));
    },
    async prepare(versions) {
      for (const [name, { at, make }] of asked) {
        if (now() - at < PREPARED_MS) await moments.next(versions, make);
        else asked.delete(name);
      }
    },
  };
}
