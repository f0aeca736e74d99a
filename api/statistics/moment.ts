/**
 * One state of the statistics, for all that an answer is put together of. An hour is a row of `stats_hours`, or computed because it is open; between
 * finding out which and reading the rows it may go from one to the other, and would be there twice or not at all. So an answer is made of what
 * was so at some version of `stats_hours`: when all is read it is looked whether that is still the version, and if it is not, it is made anew.
 *
 *     versions of the tables ──▶ read, or remembered ──▶ put together ──▶ read anything? then: versions again ──▶ the same: the answer
 *                    ▲                                                                                        └──▶ another: once more
 *                    └────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * What was read is remembered under the versions of the tables that it is made of. These are known before it is read, so it is never older than it says, and
 * the next to see other versions reads anew: nobody misses what another answer of that version has.
 */
import type { Versions } from "../cache/versions.ts";
import { createRemembered, type Entry } from "./remembered.ts";

export interface Moment {
  /** Whether the table ever had a row. */
  has(table: string): boolean;
  /** Of several tables together. */
  version(tables: readonly string[]): string;
  /** To be called when what was read turns out to be of another version. */
  moved(): void;
  /** @param tables what it is made of @param name names it among all that is made of anything */
  read<T>(name: string, tables: readonly string[], read: () => Promise<readonly T[]>): Promise<readonly T[]>;
  /** The same of what is made of what this moment reads, and is no newer than that. @param sizeOf as rows count */
  make<T>(name: string, tables: readonly string[], make: () => Promise<T>, sizeOf: (made: T) => number): Promise<T>;
}

export interface MomentOptions {
  /** As the answers' cache knows them: what it keeps is of these, or newer. */
  readonly versions: () => Promise<Versions>;
  readonly versionsNow: () => Promise<Versions>;
  readonly now: () => number;
  /** For so long what was read is kept while its tables have the same versions. */
  readonly maxAgeMs: number;
}

interface Unsettled {
  readonly read: Set<Entry>;
  readonly made: Set<Entry>;
  moved: boolean;
}

/** Hours are closed and opened seldom; while that goes on for longer, an answer may be of several states, as long as it takes to make. */
const TRIES = 3;
/** About 50 MB: hours of two years and four chains. */
const MAX_ROWS = 75_000;

export interface Moments {
  /** @param make is called again when the state has changed meanwhile */
  now<T>(make: (moment: Moment) => Promise<T>): Promise<T>;
  /** The same, for who asks next: of versions that are not told yet, and in good time before it is too old. */
  next(versions: Versions, make: (moment: Moment) => Promise<unknown>): Promise<void>;
}

export function createMoments({ versions, versionsNow, now, maxAgeMs }: MomentOptions): Moments {
  const remembered = createRemembered({ maxRows: MAX_ROWS, now });

  const momentOf = (versions: Versions, maxAge: number, unsettled: Unsettled): Moment => {
    const version = (tables: readonly string[]): string => tables.map((table) => versions.get(table) ?? "").join(" ");
    return {
      has: (table) => versions.has(table),
      version,
      moved: () => (unsettled.moved = true),
      async read<T>(name: string, tables: readonly string[], read: () => Promise<readonly T[]>) {
        const entry = remembered.get(name, version(tables), maxAge, read);
        if (!entry.settled) unsettled.read.add(entry);
        return (await entry.rows) as readonly T[];
      },
      async make<T>(name: string, tables: readonly string[], make: () => Promise<T>, sizeOf: (made: T) => number) {
        let isMine = false;
        const makeOne = async () => {
          isMine = true;
          return [await make()];
        };
        const entry = remembered.get(name, version(tables), maxAge, makeOne, ([made]) => sizeOf(made as T));
        // what another moment makes may be of another state
        if (!entry.settled) unsettled[isMine ? "made" : "read"].add(entry);
        return (await entry.rows)[0] as T;
      },
    };
  };

  async function at<T>(first: Versions, maxAge: number, make: (moment: Moment) => Promise<T>): Promise<T> {
    let known = first;
    for (let tries = 1; ; tries++) {
      const unsettled: Unsettled = { read: new Set(), made: new Set(), moved: false };
      const made = await make(momentOf(known, maxAge, unsettled));
      const isSure = unsettled.read.size === 0 && !unsettled.moved;
      const after = isSure ? known : await versionsNow();
      const same = !unsettled.moved && after.get("stats_hours") === known.get("stats_hours");
      for (const entry of [...unsettled.read, ...unsettled.made]) {
        if (same) entry.settled = true;
        else remembered.forget(entry);
      }
      if (same || tries === TRIES) return made;
      known = after;
    }
  }

  return {
    now: async (make) => at(await versions(), maxAgeMs, make),
    async next(versions, make) {
      await at(versions, maxAgeMs / 2, make);
    },
  };
}
