/** What was read of the store, for as long as it is made of the same. What several ask for at once is read once. */
export interface Remembered {
  /**
   * @param name of it, whatever it is made of
   * @param version of what it is made of
   * @param maxAgeMs it is read anew when it is older; until that is there, who takes older ones gets it
   * @param sizeOf what they count as, if that is not each as one
   */
  get(
    name: string,
    version: string,
    maxAgeMs: number,
    read: () => Promise<readonly unknown[]>,
    sizeOf?: (rows: readonly unknown[]) => number,
  ): Entry;
  forget(entry: Entry): void;
}

export interface Entry {
  readonly name: string;
  readonly version: string;
  readonly rows: Promise<readonly unknown[]>;
  /** When it began to be read. */
  readonly at: number;
  /** How many rows; undefined: it is not there yet. */
  count?: number;
  /** It is known to be of its version: see moment.ts. */
  settled: boolean;
}

export interface RememberedOptions {
  /** Of all entries together: who was not asked for longest goes first. */
  readonly maxRows: number;
  readonly now: () => number;
}

/** Of a name: the version that is asked for, and the next, which is made before anybody asks. */
const VERSIONS = 2;

export function createRemembered({ maxRows, now }: RememberedOptions): Remembered {
  /** Newest first; names by when they were last asked for. */
  const entries = new Map<string, readonly Entry[]>();

  function forget(entry: Entry): void {
    const others = (entries.get(entry.name) ?? []).filter((other) => other !== entry);
    if (others.length > 0) entries.set(entry.name, others);
    else entries.delete(entry.name);
  }

  function trim(): void {
    const sizeOf = (of: readonly Entry[]): number => of.reduce((sum, { count = 0 }) => sum + 1 + count, 0);
    let size = [...entries.values()].reduce((sum, of) => sum + sizeOf(of), 0);
    for (const [name, of] of entries) {
      if (size <= maxRows) break;
      entries.delete(name);
      size -= sizeOf(of);
    }
  }

  return {
    get(name, version, maxAgeMs, read, sizeOf = ({ length }) => length) {
      const known = entries.get(name) ?? [];
      const alike = known.filter((entry) => entry.version === version && now() - entry.at < maxAgeMs);
      const found = alike.find(({ count }) => count !== undefined) ?? alike[0];
      const entry: Entry = found ?? { name, version, rows: read(), at: now(), settled: false };
      entries.delete(name);
      entries.set(name, found ? known : [entry, ...known].slice(0, VERSIONS));
      if (!found)
        entry.rows.then(
          (rows) => {
            entry.count = sizeOf(rows);
            trim();
          },
          () => forget(entry), // who asked is told
        );
      return entry;
    },
    forget,
  };
}
