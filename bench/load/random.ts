export interface Random {
  /** 0 … 2^32 − 1. */
  u32(): number;
  /** 0 … 1, without 1. */
  unit(): number;
  /** So many bytes as hex digits, without 0x. */
  hex(bytes: number): string;
  pick<T>(items: readonly T[]): T;
}

/** xoshiro128**: 32 good bits a call, the same on every machine. */
export function createRandom(seed: number): Random {
  let [a, b, c, d] = [seed, seed ^ 0x9e3779b9, seed ^ 0x243f6a88, seed ^ 0xb7e15162];
  const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const u32 = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result >>> 0;
  };
  for (let i = 0; i < 20; i++) u32(); // the first few still show the seed
  return {
    u32,
    unit: () => u32() / 2 ** 32,
    hex(bytes) {
      let text = "";
      for (let i = 0; i < bytes; i += 4) text += u32().toString(16).padStart(8, "0");
      return text.slice(0, bytes * 2);
    },
    pick: (items) => items[u32() % items.length]!,
  };
}
