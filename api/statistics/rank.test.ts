/** The page against all sorted by a plain comparison, of senders many of whom come to the same. */
import { expect, test } from "vitest";
import { ARBITRAGEUR_ORDERS, type ArbitrageurOrder } from "../../clickhouse/queries/arbitrageurs.ts";
import type { Profile } from "./profile.ts";
import { cursorOf, rank } from "./rank.ts";
import { createPeople, type Senders, sendersOf, sumUp } from "./senders.ts";

let seed = 11;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};

interface Deed {
  readonly chain: string;
  readonly address: string;
  readonly successes: number;
  readonly failures: number;
  readonly profit: bigint;
  readonly gas: bigint;
  readonly time: number;
}
// addresses that differ behind their 13th digit alone, and chains whose numbers sort otherwise than as text
const deeds: Deed[] = Array.from({ length: 3_000 }, () => ({
  chain: ["2", "10", "137"][random(3)]!,
  address: `${"0".repeat(12)}${random(3)}${random(40).toString(16).padStart(27, "0")}`,
  successes: random(3),
  failures: random(2),
  profit: [0n, 5n, -1n, -2_500_000n, BigInt(random(9)) * 1_000_000n, 4_000_000_000_000_000_001n][random(6)]!,
  gas: BigInt(random(4)) * 750_000n,
  time: 1_700_000_000 + random(50),
}));

const people = createPeople("test");
const floor = (micros: bigint): bigint => (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
/** Seven periods, as the store gives them: a sender comes once in each. */
const periods: Senders[] = Array.from({ length: 7 }, (_, i) => {
  const mine = [...sumsOf(deeds.filter((_, n) => n % 7 === i)).values()];
  return ["2", "10", "137"].map((chain) => {
    const of = mine.filter((profile) => profile.chain === chain);
    return sendersOf(
      {
        ...{ chain, hour: i * 3600, ids: of.map(() => "1"), addresses: of.map(({ address }) => address.toUpperCase()) },
        counts: of.flatMap((p) => [p.successes, p.failures, 0, 0, 0, 0, 0, 0, Number(p.profit - floor(p.profit) * 1_000_000n), Number(p.gas - floor(p.gas) * 1_000_000n), p.first, p.last]), // biome-ignore format: a row
        amounts: of.flatMap((p) => [Number(floor(p.profit)), Number(floor(p.gas)), 0]),
      },
      people,
    );
  });
}).flat();

type Sum = Pick<Profile, "chain" | "address" | "successes" | "failures" | "profit" | "gas" | "first" | "last">;
function sumsOf(some: readonly Deed[]): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { chain, address, successes, failures, profit, gas, time } of some) {
    const known = sums.get(`${chain} ${address}`);
    sums.set(`${chain} ${address}`, {
      ...{ chain, address },
      successes: successes + (known?.successes ?? 0),
      failures: failures + (known?.failures ?? 0),
      profit: profit + (known?.profit ?? 0n),
      gas: gas + (known?.gas ?? 0n),
      first: Math.min(time, known?.first ?? time),
      last: Math.max(time, known?.last ?? time),
    });
  }
  return sums;
}

const VALUES: Readonly<Record<ArbitrageurOrder, (sum: Sum) => number | bigint>> = {
  total_profit_usd: ({ profit }) => profit,
  success_rate: ({ successes, failures }) => (100 * successes) / (successes + failures),
  total_transactions: ({ successes, failures }) => successes + failures,
  last_seen: ({ last }) => last,
  total_gas_spent_usd: ({ gas }) => gas,
};

test.each(Object.keys(ARBITRAGEUR_ORDERS) as ArbitrageurOrder[])("by %s: each page, from either end", (sortBy) => {
  for (const [descending, minTransactions] of [[true, 0], [false, 0], [true, 22]] as const) {
    const key = (sum: Sum) => [VALUES[sortBy](sum), BigInt(sum.chain), sum.address] as const;
    const expected = [...sumsOf(deeds).values()]
      .filter(({ successes, failures }) => successes > 0 && successes + failures >= minTransactions)
      .sort((a, b) => {
        const at = key(a).findIndex((value, i) => value !== key(b)[i]);
        return (key(a)[at]! < key(b)[at]! ? -1 : 1) * (descending ? -1 : 1);
      });
    expect(expected.length).toBeGreaterThan(20);
    const ranking = { sortBy, descending, minTransactions };
    const page = (limit: number, offset: number, last?: Profile) =>
      rank(sumUp(periods, people), people, { ...ranking, after: last && cursorOf(last, sortBy) }, { limit, offset });
    const names = (profiles: readonly Sum[]) => profiles.map(({ chain, address }) => `${chain} ${address}`);
    expect(page(1_000, 0)).toMatchObject({ profiles: expected, total: expected.length });
    expect(names(page(9, 4).profiles)).toEqual(names(expected.slice(4, 13)));
    const walked: Profile[] = [];
    for (let some = page(7, 0); some.profiles.length > 0; some = page(7, 0, walked.at(-1))) {
      expect(some.total).toBe(expected.length);
      walked.push(...some.profiles);
    }
    expect(names(walked)).toEqual(names(expected));
  } // biome-ignore format: three lists
});
