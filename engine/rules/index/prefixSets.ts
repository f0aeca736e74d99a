/**
 * Slices of an order as sets of bits, a bit a transaction. Kept are the sets of what stands before some places of the order; what
 * stands before any other place is the set before it and a few more, and a slice is what stands before its end, without what stands
 * before its beginning.
 *
 *     order:   t3 t0 t4 │ t1 t5 t2 │            slice 1 to 5:  0011 1011  what stands before 5
 *     sets:    -        t3 t0 t4   all                       ^ 0000 1000  what stands before 1  =  t0 t4 t1 t5
 *
 * So a slice costs as much whether it is short or long, and is intersected with another's 32 transactions at a time.
 */
export interface PrefixSets {
  /** Of the `count` transactions that stand in the order from `from` on. */
  fill(order: Uint32Array, from: number, count: number): void;
  /** Makes a set of what stands in the order from one place to another. */
  slice(set: Uint32Array, from: number, to: number): void;
  /** Adds to a set what stands there, which it must not have yet. */
  add(set: Uint32Array, from: number, to: number): void;
}

/** Places whose sets are kept: with 4,096 transactions each 64th, in 33 KB. */
const KEPT = 64;

/** Words of a set. */
export const setWords = (count: number): number => (count + 31) >> 5;

export function createPrefixSets(): PrefixSets {
  let sets = new Uint32Array(0);
  let placed: Uint32Array = sets;
  let first = 0;
  let words = 0;
  let step = 1;

  /** Where the set of a place begins, or of the last place before it that has one. */
  const keptAt = (place: number): number => Math.floor((place - first) / step) * words;

  /** Changes the set of a place that has one into the set of the place itself. */
  function toggleRest(set: Uint32Array, place: number): void {
    const transactions = placed;
    for (let p = place - ((place - first) % step); p < place; p++) {
      const transaction = transactions[p]!;
      set[transaction >> 5]! ^= 1 << transaction;
    }
  }

  return {
    fill(order, from, count) {
      [placed, first, words] = [order, from, setWords(count)];
      step = Math.ceil(count / KEPT);
      const needed = (Math.floor(count / step) + 1) * words;
      if (sets.length < needed) sets = new Uint32Array(needed);
      sets.fill(0, 0, words);
      for (let at = words, place = from; at < needed; at += words) {
        sets.copyWithin(at, at - words, at);
        for (const end = place + step; place < end; place++) sets[at + (order[place]! >> 5)]! |= 1 << order[place]!;
      }
    },
    slice(set, from, to) {
      const kept = sets;
      for (let w = 0, a = keptAt(from), b = keptAt(to); w < set.length; w++) set[w] = kept[a + w]! ^ kept[b + w]!;
      toggleRest(set, from);
      toggleRest(set, to);
    },
    add(set, from, to) {
      const kept = sets;
      for (let w = 0, a = keptAt(from), b = keptAt(to); w < set.length; w++) set[w]! ^= kept[a + w]! ^ kept[b + w]!;
      toggleRest(set, from);
      toggleRest(set, to);
    },
  };
}

/** How many a set has: sums of neighbouring bits, then of pairs, fours and bytes. */
export function sizeOfSet(set: Uint32Array): number {
  let size = 0;
  for (let w = 0; w < set.length; w++) {
    let bits = set[w]! | 0;
    bits -= (bits >>> 1) & 0x5555_5555;
    bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
    size += Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return size;
}

/** Lists a set, ascending. @returns how many there are */
export function listSet(set: Uint32Array, into: Uint32Array): number {
  let length = 0;
  for (let w = 0; w < set.length; w++)
    for (let bits = set[w]! | 0; bits !== 0; bits &= bits - 1) into[length++] = w * 32 + 31 - Math.clz32(bits & -bits);
  return length;
}
