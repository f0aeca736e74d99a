/**
 * What senders did, hour by hour or day by day, in columns of numbers: 76 bytes for each and period, to be added up for any period. Of 313 hours with 16,700 of
 * them that takes 1 ms; as a statement it takes the store 20.
 *
 *     who      [ 4, 17, 3 ]            places in `people`
 *     counts   [ 12 of COUNTS, 12, 12 ]
 *     amounts  [ 3 of AMOUNTS, 3, 3 ]
 */
import { AMOUNTS, COUNTS, type SendersRow } from "../../clickhouse/queries/arbitrageurs.ts";
import type { Period } from "../../clickhouse/queries/hours.ts";

export interface Person {
  /** 53 bits, decimal text. */
  readonly id: string;
  readonly chain: string;
  /** 40 lower-case hex digits. */
  readonly address: string;
  /** Its first 13 digits: where these differ, people are in their order. */
  readonly order: number;
}

/** Everybody, once a chain. */
export interface People {
  /** Of these people: places are none of others. */
  readonly name: string;
  readonly all: readonly Person[];
  place(chain: string, address: string, id: string): number;
}

export function createPeople(name: string): People {
  const all: Person[] = [];
  const places = new Map<string, number>();
  return {
    name,
    all,
    place(chain, upper, id) {
      const address = upper.toLowerCase();
      const name = `${chain} ${address}`;
      const known = places.get(name);
      if (known !== undefined) return known;
      all.push({ id, chain, address, order: Number.parseInt(address.slice(0, 13), 16) });
      places.set(name, all.length - 1);
      return all.length - 1;
    },
  };
}

export interface Senders extends Period {
  readonly who: Uint32Array;
  readonly counts: Uint32Array;
  readonly amounts: Float64Array;
}

export const sendersOf = ({ chain, hour, ids, addresses, counts, amounts }: SendersRow, people: People): Senders => ({
  ...{ chain, hour },
  who: Uint32Array.from(addresses, (address, i) => people.place(chain, address, ids[i]!)),
  counts: Uint32Array.from(counts),
  amounts: Float64Array.from(amounts),
});

/** What each comes to. */
export interface Sums {
  /** Places in `people`, each once. */
  readonly who: readonly number[];
  /** SUMS of each. */
  readonly values: Float64Array;
}

/** Names of a sender's sums; of USD the millionths are below a million. */
export const SUMS = [...COUNTS, ...AMOUNTS] as const;
export type Sum = (typeof SUMS)[number];
export const at = Object.fromEntries(SUMS.map((name, i) => [name, i])) as Readonly<Record<Sum, number>>;
const MILLION = 1_000_000;

/** Megabytes: one for each answer would be garbage that takes as long to collect as the answer to make. */
let buffer = new Float64Array(0);

/** @returns what holds until it is called again */
export function sumUp(periods: readonly Senders[], people: People): Sums {
  const slots = new Int32Array(people.all.length).fill(-1);
  const most = periods.reduce((sum, { who }) => sum + who.length, 0);
  const length = Math.min(most, people.all.length) * SUMS.length;
  if (buffer.length < length) buffer = new Float64Array(length);
  const values = buffer.subarray(0, length).fill(0);
  const found: number[] = [];
  for (const { who, counts, amounts } of periods)
    for (let i = 0; i < who.length; i++) {
      const person = who[i]!;
      const from = i * COUNTS.length;
      let slot = slots[person]!;
      if (slot < 0) {
        slots[person] = slot = found.push(person) - 1;
        values[slot * SUMS.length + at.first] = counts[from + at.first]!;
      }
      const to = slot * SUMS.length;
      for (let k = 0; k < SUMMED; k++) values[to + k]! += counts[from + k]!;
      values[to + at.first] = Math.min(values[to + at.first]!, counts[from + at.first]!);
      values[to + at.last] = Math.max(values[to + at.last]!, counts[from + at.last]!);
      for (let k = 0; k < AMOUNTS.length; k++) values[to + COUNTS.length + k]! += amounts[i * AMOUNTS.length + k]!;
    }
  for (let to = 0; to < found.length * SUMS.length; to += SUMS.length) {
    carry(values, to + at.profit, to + at.profitMicros);
    carry(values, to + at.gas, to + at.gasMicros);
  }
  return { who: found, values };
}

/** Of COUNTS all but times, which are the last two. */
const SUMMED = COUNTS.length - 2;

function carry(values: Float64Array, whole: number, micros: number): void {
  const carried = Math.floor(values[micros]! / MILLION);
  values[whole]! += carried;
  values[micros]! -= carried * MILLION;
}
