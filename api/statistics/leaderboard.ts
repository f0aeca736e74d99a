/**
 * Arbitrageurs by what they come to. Closed hours have most of it, and change once an hour: of them the store gives who is first, and all that it has of
 * who did something in an open hour, too (*others*). What those come to with both is put among the first.
 */
import { createHash } from "node:crypto";
import {
  type ArbitrageurOrder,
  type RankedRow,
  type Ranking,
  rankedQuery,
  type SenderRow,
} from "../../clickhouse/queries/arbitrageurs.ts";
import { closedHours, type Definition, hourStats, type Period } from "../../clickhouse/queries/hours.ts";
import type { CommonFilter } from "../../clickhouse/queries/types.ts";
import type { Moment } from "./moment.ts";
import { HOURS_TABLES, isAsked, openHours, openSenders, type Read, scopeOf } from "./openHours.ts";

/** What one sender did on one chain. USD in millionths. */
export interface Profile {
  /** 53 bits, decimal text. */
  readonly id: string;
  readonly chain: string;
  /** 40 lower-case hex digits. */
  readonly address: string;
  readonly successes: number;
  readonly failures: number;
  readonly profit: bigint;
  readonly priced: number;
  readonly gas: bigint;
  readonly gwei: number;
  readonly gweiKnown: number;
  /** Arbitrages of 2, 3, 4 and more hops. */
  readonly hops: readonly number[];
  /** Unix seconds. */
  readonly first: number;
  readonly last: number;
}

export interface Leaders {
  readonly profiles: readonly Profile[];
  /** How many there are without limit, offset and cursor. */
  readonly total: number;
}

export interface LeadersPage {
  readonly limit: number;
  readonly offset: number;
}

type Asked = readonly [filter: CommonFilter, definition: Definition, ranking: Ranking, page: LeadersPage];

/** @param filter whole hours */
export async function readLeaders(read: Read, moment: Moment, ...asked: Asked): Promise<Leaders> {
  const make = async () => [await putTogether(read, moment, ...asked)];
  return (await moment.read(JSON.stringify(["leaders", asked]), HOURS_TABLES, make))[0]!;
}

async function putTogether(
  read: Read,
  moment: Moment,
  ...[filter, definition, ranking, { limit, offset }]: Asked
): Promise<Leaders> {
  const { hours, rows } = await openHours(read, moment, scopeOf(filter));
  const open = hours.filter(isAsked(filter));
  const first = offset + limit;
  if (rows === undefined) {
    const found = await read<RankedRow>(rankedQuery(hourStats(filter, definition, open), ranking, [], first));
    return { profiles: found.slice(offset).map(profileOf), total: Number(found[0]?.total ?? 0) };
  }
  const senders = open.length === 0 ? [] : await openSenders(read, moment, scopeOf(filter), definition);
  const who = ranking.address?.slice(2).toUpperCase();
  const isWanted = isAsked(filter);
  const others = senders.filter(
    ({ chain_id: chain, hour, address }) => isWanted({ chain, hour }) && (who === undefined || address === who),
  );
  const found = await readClosed(read, moment, { filter, definition, ranking, first, open, others });
  const both = sumUp([...others, ...found.filter(({ other }) => other === 1)]);
  const listed = both.filter((profile) => isListed(profile, ranking));
  const all = [
    ...listed.filter((profile) => isBehind(profile, ranking)),
    ...found.filter(({ other }) => other === 0).map(profileOf),
  ].map((profile) => ({ profile, place: placeOf(profile, ranking.sortBy) }));
  all.sort((a, b) => (ranking.descending ? compare(b.place, a.place) : compare(a.place, b.place)));
  return {
    profiles: all.slice(offset, first).map(({ profile }) => profile),
    total: Number(found[0]?.total ?? 0) + listed.length,
  };
}

/** They are the same until an hour is closed, or somebody else does something in an open one. */
function readClosed(
  read: Read,
  moment: Moment,
  asked: {
    readonly filter: CommonFilter;
    readonly definition: Definition;
    readonly ranking: Ranking;
    readonly first: number;
    readonly open: readonly Period[];
    readonly others: readonly SenderRow[];
  },
): Promise<readonly RankedRow[]> {
  const { filter, definition, ranking, first } = asked;
  const others = [...new Map(asked.others.map((row) => [`${row.chain_id} ${row.address}`, row])).values()];
  const open = asked.open.map(({ chain, hour }) => ({ chain, hour }));
  const names = others.map(({ chain_id, address }) => `${chain_id} ${address}`).sort();
  const name = createHash("sha256").update(JSON.stringify([filter, definition, ranking, first, open, names]));
  return moment.read(`closed leaders ${name.digest("base64")}`, ["stats_hours"], () =>
    read<RankedRow>(rankedQuery(closedHours(filter, definition, "hour", open), ranking, others, first)),
  );
}

const isListed = ({ successes, failures }: Profile, { minTransactions }: Ranking): boolean =>
  successes > 0 && successes + failures >= minTransactions;

/** What a list is sorted by, as numbers that compare exactly. */
const VALUES: Readonly<Record<ArbitrageurOrder, (profile: Profile) => number | bigint>> = {
  total_profit_usd: ({ profit }) => profit,
  success_rate: successRate,
  total_transactions: ({ successes, failures }) => successes + failures,
  last_seen: ({ last }) => last,
  total_gas_spent_usd: ({ gas }) => gas,
};

export function successRate({ successes, failures }: Profile): number {
  return (100 * successes) / (successes + failures);
}

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

function isBehind(profile: Profile, { after, sortBy, descending }: Ranking): boolean {
  if (!after) return true;
  const place = placeOf(profile, sortBy);
  const value = typeof place[0] === "bigint" ? micros(after[0]) : Number(after[0]);
  const order = compare(place, [value, BigInt(after[1]), after[2]]);
  return descending ? order < 0 : order > 0;
}

function compare(a: Place, b: Place): number {
  for (const [i, value] of a.entries()) {
    if (value < b[i]!) return -1;
    if (value > b[i]!) return 1;
  }
  return 0;
}

/** One a chain and address. */
function sumUp(rows: readonly SenderRow[]): Profile[] {
  const profiles = new Map<string, Profile>();
  for (const row of rows) {
    const profile = profileOf(row);
    const key = `${profile.chain} ${profile.address}`;
    const known = profiles.get(key);
    profiles.set(key, known ? sumOf(known, profile) : profile);
  }
  return [...profiles.values()];
}

const sumOf = (a: Profile, b: Profile): Profile => ({
  ...{ id: a.id, chain: a.chain, address: a.address },
  successes: a.successes + b.successes,
  failures: a.failures + b.failures,
  profit: a.profit + b.profit,
  priced: a.priced + b.priced,
  gas: a.gas + b.gas,
  gwei: a.gwei + b.gwei,
  gweiKnown: a.gweiKnown + b.gweiKnown,
  hops: a.hops.map((count, i) => count + b.hops[i]!),
  first: Math.min(a.first, b.first),
  last: Math.max(a.last, b.last),
});

const profileOf = (row: SenderRow): Profile => ({
  ...{ id: row.id, chain: row.chain_id, address: row.address.toLowerCase() },
  successes: Number(row.successes),
  failures: Number(row.failures),
  profit: micros(row.profit),
  priced: Number(row.priced),
  gas: micros(row.gas),
  gwei: row.gwei,
  gweiKnown: Number(row.gwei_known),
  hops: row.hops.map(Number),
  first: row.first,
  last: row.last,
});

/** Decimal text with up to six digits behind the point, in millionths. */
function micros(text: string): bigint {
  const [whole, fraction = ""] = text.split(".");
  const digits = BigInt(`${whole!.replace("-", "")}${fraction.padEnd(6, "0")}`);
  return text.startsWith("-") ? -digits : digits;
}

/** The opposite, without zeros at the end: as ClickHouse writes it. */
export function usdText(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, "0");
  return `${micros < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
}
