/**
 * Terms that name a value of some field, in hash tables: one a combination of fields ("chain and recipient"), so a transaction
 * is looked up once for each combination and not once for each rule.
 *
 *     hash(chain, to) ──▶ slot ──▶ bucket: the key's words, and runs of terms
 *                                     run: a column and its terms by ascending threshold: value > 5, > 9, > 12, …
 *
 * A run is walked until its thresholds pass the transaction's value: cost grows with matches, not with candidates. The idea
 * of ordering thresholds under an equality is Le Subscribe's (Fabret et al., SIGMOD 2001); Esper's filter index nests the same.
 */
import { randomInt } from "node:crypto";
import { type BytesField, type IntegerField, type LogField, ruleField } from "../../condition/fields.ts";
import type { NumberSet } from "../../condition/intervals.ts";
import type { Columns } from "./columns.ts";
import type { Frames, Test } from "./frames.ts";
import { type Key, keyTest, type Term } from "./normalForm.ts";
import type { NumberField } from "./number.ts";
import type { Pairs } from "./pairs.ts";
import { createRuns } from "./runs.ts";
import { bytesOf } from "./test.ts";
import { firstLog, LOG_WORD, nextLog, WORD } from "./words.ts";

/** More combinations than these are not made: each costs every transaction 10 to 20 ns. */
const MAX_COMBINATIONS = 16;
const CHAIN = ruleField("chainId") as IntegerField;
/** Nobody outside can choose keys that collide. */
const SEED = randomInt(2 ** 31);

/** A term with the number of its rule. */
export interface RuleTerm extends Term {
  readonly rule: number;
}

export interface KeyIndex {
  /** Adds the pairs of the transactions from `from` to `to`; those of a rule may come out of order and twice. */
  select(frames: Frames, from: number, to: number, columns: Columns, pairs: Pairs): void;
}

export function createKeyIndex(terms: readonly RuleTerm[], columns: Columns): KeyIndex {
  const combinations = new Map<string, { fields: KeyFields; terms: PlacedTerm[] }>();
  for (const term of terms) {
    const placed = place(term, (name) => combinations.has(name) || combinations.size < MAX_COMBINATIONS);
    const combination = combinations.get(placed.name);
    if (combination) combination.terms.push(placed);
    else combinations.set(placed.name, { fields: placed.fields, terms: [placed] });
  }
  const tables = [...combinations.values()].map((each) => createTable(each.fields, each.terms, columns));
  return {
    select(frames, from, to, filled, pairs) {
      for (const table of tables) table.select(frames, from, to, filled, pairs);
    },
  };
}

/** What is hashed: the chain or not, fields of the transaction, and one of its logs' at most. */
interface KeyFields {
  readonly chain: boolean;
  readonly fixed: readonly BytesField[];
  readonly log: LogField | undefined;
}

interface PlacedTerm {
  readonly name: string;
  readonly fields: KeyFields;
  /** Words of each key that leads to the term. */
  readonly keys: readonly Uint32Array[];
  /** What the key has not answered. */
  readonly numbers: ReadonlyMap<NumberField, NumberSet>;
  readonly tests: readonly Test[];
  readonly rule: number;
}

/** Chooses what a term is found by: all its fields that have one value, else the one with the fewest. */
function place({ rule, numbers, keys, tests }: RuleTerm, isRoom: (name: string) => boolean): PlacedTerm {
  const chain = numbers.get(CHAIN);
  const single = chain && singleValue(chain);
  const ofTransaction = keys.filter((key): key is Key & { field: BytesField } => key.field.kind === "bytes");
  const one = distinct(ofTransaction.filter(({ values }) => values.length === 1));
  const fewest = [...keys].sort((a, b) => rank(a) - rank(b))[0]!;
  const choose = (chosen: readonly Key[]): PlacedTerm => {
    const log = chosen.find((key): key is Key & { field: LogField } => key.field.kind === "log")?.field;
    const fixed = chosen.flatMap(({ field }) => (field.kind === "bytes" ? [field] : []));
    const fields = { chain: single !== undefined, fixed, log };
    const rest = new Map(numbers);
    if (single !== undefined) rest.delete(CHAIN);
    return {
      name: [fields.chain ? "chain" : "", ...fixed.map(({ name }) => name), log?.name ?? ""].join(" "),
      fields,
      keys: keyWords(single, chosen),
      numbers: rest,
      tests: [...tests, ...keys.filter((key) => !chosen.includes(key)).map(keyTest)],
      rule,
    };
  };
  const wanted = choose(one.length > 0 ? one : [fewest]);
  return isRoom(wanted.name) ? wanted : choose([fewest]);
}

/** Few values first; of as many, those of the transaction before those of its logs. */
const rank = ({ field, values }: Key): number => values.length * 2 + (field.kind === "log" ? 1 : 0);

/** In one order, each field once: a second value of it is asked for afterwards. */
function distinct(keys: readonly (Key & { field: BytesField })[]): (Key & { field: BytesField })[] {
  const first = keys.filter(({ field }, i) => keys.findIndex((key) => key.field === field) === i);
  return first.sort((a, b) => a.field.word - b.field.word);
}

function singleValue({ intervals, absent }: NumberSet): bigint | undefined {
  const [only] = intervals;
  return !absent && intervals.length === 1 && only![1] - only![0] === 1n && only![0] < 2n ** 64n ? only![0] : undefined;
}

/** Keys in words: chain as two, then the fields. Only one of `chosen` has several values. */
function keyWords(chain: bigint | undefined, chosen: readonly Key[]): Uint32Array[] {
  const lead = chain === undefined ? [] : [Number(chain & 0xffff_ffffn), Number(chain >> 32n)];
  let all: number[][] = [lead];
  for (const { values } of chosen)
    all = all.flatMap((before) => values.map((value) => [...before, ...new Uint32Array(bytesOf(value).buffer)]));
  return all.map((words) => Uint32Array.from(words));
}

type Table = KeyIndex;

function createTable({ chain, fixed, log }: KeyFields, terms: readonly PlacedTerm[], columns: Columns): Table {
  const buckets = bucketsOf(terms);
  const walk = createRuns(
    buckets.map((bucket) => bucket.terms),
    columns,
  );

  // words of the frame that make the key
  const places: number[] = chain ? [CHAIN.word, CHAIN.word + 1] : [];
  for (const { word, bytes } of fixed) for (let i = 0; i < bytes >> 2; i++) places.push(word + i);
  const logPlaces = log ? Array.from({ length: log.bytes >> 2 }, (_, i) => log.word + i) : [];
  const length = places.length + logPlaces.length;
  const required = fixed.reduce((bits, { present }) => (bits | present) >>> 0, 0);
  const inputBytes = Math.max(0, ...fixed.map((field) => field.inputBytes));

  const slots = new Int32Array(2 ** Math.ceil(Math.log2(buckets.length * 2 + 1))).fill(-1);
  const hashes = new Int32Array(slots.length);
  const mask = slots.length - 1;
  const keys = new Uint32Array(buckets.length * length);
  for (const [b, { words }] of buckets.entries()) {
    keys.set(words, b * length);
    let hash = SEED;
    for (const word of words) hash = mix(hash, word);
    hash = finish(hash);
    let slot = hash & mask;
    while (slots[slot] !== -1) slot = (slot + 1) & mask;
    slots[slot] = b;
    hashes[slot] = hash;
  }

  /** The bucket whose key is at these places, or −1. */
  function find(words: Uint32Array, frame: number, hash: number, logWord: number): number {
    next: for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const bucket = slots[slot]!;
      if (bucket === -1) return -1;
      if (hashes[slot] !== hash) continue;
      let at = bucket * length;
      for (let i = 0; i < places.length; i++) if (words[frame + places[i]!] !== keys[at++]) continue next;
      for (let i = 0; i < logPlaces.length; i++) if (words[logWord + logPlaces[i]!] !== keys[at++]) continue next;
      return bucket;
    }
  }

  return {
    select(frames, from, to, filled, pairs) {
      const { words, offsets } = frames;
      const values = walk.values(filled);
      for (let i = from; i < to; i++) {
        const frame = offsets[i]! >> 2;
        if ((words[frame + WORD.present]! & required) >>> 0 !== required) continue;
        if (inputBytes > 0 && words[frame + WORD.inputLength]! < inputBytes) continue;
        let hash = SEED;
        for (let p = 0; p < places.length; p++) hash = mix(hash, words[frame + places[p]!]!);
        if (log === undefined) {
          const bucket = find(words, frame, finish(hash), 0);
          if (bucket >= 0) walk.walk(bucket, frames, i, frame, values, pairs);
          continue;
        }
        let at = firstLog(words, frame);
        for (let left = words[frame + WORD.logCount]!; left > 0; left--) {
          if (words[at + LOG_WORD.topicCount]! >= log.topics) {
            let ofLog = hash;
            for (let p = 0; p < logPlaces.length; p++) ofLog = mix(ofLog, words[at + logPlaces[p]!]!);
            const bucket = find(words, frame, finish(ofLog), at);
            if (bucket >= 0) walk.walk(bucket, frames, i, frame, values, pairs);
          }
          at = nextLog(words, at);
        }
      }
    },
  };
}

/** The terms of each key. */
function bucketsOf(terms: readonly PlacedTerm[]): { words: Uint32Array; terms: PlacedTerm[] }[] {
  const buckets = new Map<string, { words: Uint32Array; terms: PlacedTerm[] }>();
  for (const term of terms)
    for (const words of term.keys) {
      const text = words.join(" ");
      const bucket = buckets.get(text);
      if (bucket) bucket.terms.push(term);
      else buckets.set(text, { words, terms: [term] });
    }
  return [...buckets.values()];
}

const mix = (hash: number, word: number): number => Math.imul(hash ^ word, 0x9e37_79b1) ^ (hash >>> 15);
const finish = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return once ^ (once >>> 13);
};
