/**
 * What was read of hours and days, piece by piece: each for as long as its version is what it was. So a period that nobody has asked for
 * yet costs those of its pieces that nobody has asked for, or that have changed.
 */

/** What a piece is of, and which state of that. */
export interface PieceName {
  readonly key: string;
  readonly version: string;
}

export interface Kept<T extends PieceName> {
  /**
   * @param name of what they are pieces of
   * @param wanted as they are now
   * @param read those that are missing, and whatever else comes with them; the versions are those of what was read. One read at a time
   * @returns as many of those that are wanted as there are: of another version if `read` found another
   */
  take<W extends PieceName>(
    name: string,
    wanted: readonly W[],
    read: (missing: readonly W[]) => Promise<readonly T[]>,
  ): Promise<T[]>;
}

/** @param maxSize of all pieces together: when they are more, those that were not wanted last go */
export function createKept<T extends PieceName>(maxSize: number, sizeOf: (piece: T) => number): Kept<T> {
  const all = new Map<string, Map<string, T>>();
  let size = 0;
  let turn: Promise<unknown> = Promise.resolve();

  function add(to: Map<string, T>, piece: T): void {
    const before = to.get(piece.key);
    size += 1 + sizeOf(piece) - (before === undefined ? 0 : 1 + sizeOf(before));
    to.set(piece.key, piece);
  }

  return {
    async take(name, wanted, read) {
      const mine = (): Map<string, T> => all.get(name) ?? new Map();
      const missing = () => wanted.filter(({ key, version }) => mine().get(key)?.version !== version);
      const found = (): T[] => wanted.flatMap(({ key }) => mine().get(key) ?? []);
      if (missing().length === 0) return found();
      const mended = turn.then(async () => {
        const lacking = missing(); // who came before may have read them
        const pieces = lacking.length === 0 ? [] : await read(lacking);
        const kept = mine();
        for (const piece of pieces) add(kept, piece);
        all.set(name, kept);
        const taken = found();
        if (size > maxSize) {
          all.clear();
          size = 0;
          const only = new Map<string, T>();
          for (const piece of taken) add(only, piece);
          all.set(name, only);
        }
        return taken;
      });
      turn = mended.catch(() => {}); // who asked is told
      return mended;
    },
  };
}
