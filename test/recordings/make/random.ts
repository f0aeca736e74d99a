/** Seeded choices: the same seed makes the same market. */
export type Random = ReturnType<typeof createRandom>;

export function createRandom(seed: number) {
  let state = seed >>> 0;
  /** mulberry32: 32 bits of state are plenty for some 10^5 draws. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    /** 0 <= x < 1 */
    next,
    /** from <= x <= to */
    int,
    chance: (probability: number) => next() < probability,
    pick: <Item>(items: readonly Item[]): Item => items[int(0, items.length - 1)]!,
    /** Sizes on a chain spread over decades: uniform in the logarithm. */
    logUniform: (from: number, to: number) => Math.exp(Math.log(from) + next() * Math.log(to / from)),
    shuffle<Item>(items: readonly Item[]): Item[] {
      const mixed = [...items];
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = int(0, last);
        [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
      }
      return mixed;
    },
    weighted<Key extends string>(weights: Record<Key, number>): Key {
      const entries = Object.entries(weights) as [Key, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) if ((left -= weight) < 0) return key;
      return entries[0]![0];
    },
  };
}
