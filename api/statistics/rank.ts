/** A page of the leaderboard, of what each sender comes to. */
import type { ArbitrageurOrder, Ranking } from "../../clickhouse/queries/arbitrageurs.ts";
import { micros, type Profile, profileAt, successRate, usdText } from "./profile.ts";
import { at, type People, type Person, SUMS, type Sum, type Sums } from "./senders.ts";

export interface Leaders {
  readonly profiles: readonly Profile[];
  /** How many there are without limit, offset and cursor. */
  readonly total: number;
}

export interface LeadersPage {
  readonly limit: number;
  readonly offset: number;
}

/** The list's page. Only who is on it, or before it, is made a profile. */
export function rank({ who, values }: Sums, people: People, ranking: Ranking, { limit, offset }: LeadersPage): Leaders {
  const { address, minTransactions, sortBy, descending, after } = ranking;
  const sign = descending ? -1 : 1;
  const keys = KEYS[sortBy];
  const personAt = (base: number): Person => people.all[who[base / SUMS.length]!]!;
  const profileFrom = (base: number): Profile => profileAt(personAt(base), (sum) => values[base + at[sum]]!);
  const from = after && (isUsd(sortBy) ? wholeAndMicros(micros(after[0])) : [Number(after[0])]);
  const isOn = (base: number): boolean => {
    if (from === undefined) return true;
    const differing = keys.findIndex((key, i) => key(values, base) !== from[i]);
    if (differing >= 0) return sign * keys[differing]!(values, base) > sign * from[differing]!;
    const { chain, address } = personAt(base);
    return sign * compare([0, BigInt(chain), address], [0, BigInt(after![1]), after![2]]) > 0;
  };
  const on: number[] = [];
  let total = 0;
  for (let base = 0; base < who.length * SUMS.length; base += SUMS.length) {
    if (successesOf(values, base) === 0 || transactionsOf(values, base) < minTransactions) continue;
    if (address !== undefined && personAt(base).address !== address.slice(2).toLowerCase()) continue;
    total++;
    if (isOn(base)) on.push(base);
  }
  const first = firstOf(on, offset + limit, [
    ...keys.map((key) => (base: number) => sign * key(values, base)),
    (base) => sign * Number(personAt(base).chain),
    (base) => sign * personAt(base).order,
  ]);
  const all = first.map(profileFrom).map((profile) => ({ profile, place: placeOf(profile, sortBy) }));
  all.sort((a, b) => sign * compare(a.place, b.place));
  return { profiles: all.slice(offset, offset + limit).map(({ profile }) => profile), total };
}

/** The first `count` in the order of the keys, the second where the first are equal, and so on; and who is equal to the last of them in all. In any order. */
function firstOf(all: readonly number[], count: number, keys: readonly ((one: number) => number)[]): number[] {
  const first: number[] = [];
  let equal = all;
  for (const key of keys) {
    if (first.length + equal.length <= count) break;
    const values = new Float64Array(equal.length);
    for (let i = 0; i < values.length; i++) values[i] = key(equal[i]!);
    const last = values.slice().sort()[count - first.length - 1]!;
    for (let i = 0; i < values.length; i++) if (values[i]! < last) first.push(equal[i]!);
    equal = equal.filter((_, i) => values[i] === last);
  }
  return [...first, ...equal];
}

type Key = (sums: Float64Array, base: number) => number;
const successesOf: Key = (sums, base) => sums[base + at.successes]!;
const transactionsOf: Key = (sums, base) => successesOf(sums, base) + sums[base + at.failures]!;
const column =
  (sum: Sum): Key =>
  (sums, base) =>
    sums[base + at[sum]]!;

/** What a list is sorted by, of a sender's sums, which begin at `base`; the second where the first are equal. */
const KEYS: Readonly<Record<ArbitrageurOrder, readonly Key[]>> = {
  total_profit_usd: [column("profit"), column("profitMicros")],
  success_rate: [(sums, base) => (100 * successesOf(sums, base)) / transactionsOf(sums, base)],
  total_transactions: [transactionsOf],
  last_seen: [column("last")],
  total_gas_spent_usd: [column("gas"), column("gasMicros")],
};
const isUsd = (order: ArbitrageurOrder): boolean => KEYS[order].length > 1;

function wholeAndMicros(micros: bigint): [number, number] {
  const rest = ((micros % MILLION) + MILLION) % MILLION;
  return [Number((micros - rest) / MILLION), Number(rest)];
}

const MILLION = 1_000_000n;

/** The same of a profile. */
const VALUES: Readonly<Record<ArbitrageurOrder, (profile: Profile) => number | bigint>> = {
  total_profit_usd: ({ profit }) => profit,
  success_rate: successRate,
  total_transactions: ({ successes, failures }) => successes + failures,
  last_seen: ({ last }) => last,
  total_gas_spent_usd: ({ gas }) => gas,
};

/** Value, chain, address: where a page behind it begins. */
export function cursorOf(profile: Profile, sortBy: ArbitrageurOrder): [string, string, string] {
  const value = VALUES[sortBy](profile);
  return [typeof value === "bigint" ? usdText(value) : String(value), profile.chain, profile.address];
}

type Place = readonly [number | bigint, bigint, string];
const placeOf = (profile: Profile, sortBy: ArbitrageurOrder): Place => [
  VALUES[sortBy](profile),
  BigInt(profile.chain),
  profile.address,
];

function compare(a: Place, b: Place): number {
  for (const [i, value] of a.entries()) {
    if (value < b[i]!) return -1;
    if (value > b[i]!) return 1;
  }
  return 0;
}
