/**
 * Terms that name a value of some field, in hash tables: one a combination of fields ("chain and recipient"), so a transaction
 * is looked up once for each combination and not once for each rule.
 *
 *     hash(chain, to) ──▶ slot ──▶ bucket: the key's words, and runs of terms
 *                                     run: a column and its terms by ascending threshold: value > 5, > 9, > 12, …
 *
 * A run is followed until its thresholds pass the transaction's value: cost grows with matches, not with candidates, and where
 * matches are only counted, not even with these (buckets.ts). The idea of ordering thresholds under an equality is Le Subscribe's (Fabret et al., SIGMOD 2001); Esper's filter index nests the same.
 */
import { randomInt } from "node:crypto";
import { factsAt, sectionReader } from "../../chain/facts/readFacts.ts";
import {
  type BytesField,
  type FactField,
  type FactNameField,
  type IntegerField,
  type LogField,
  ruleField,
} from "../../condition/fields.ts";
import type { NumberSet } from "../../condition/intervals.ts";
import { createBuckets } from "./buckets.ts";
import type { Columns } from "./columns.ts";
import type { Found } from "./found.ts";
import type { Frames, Test } from "./frames.ts";
import { type Key, keyTest, type Term } from "./normalForm.ts";
import type { NumberField } from "./number.ts";
import { bytesOf } from "./test.ts";
import { firstLog, LOG_WORD, nextLog, WORD } from "./words.ts";

/** Transactions that all parts of the index look at one after the other: of 256 pending ones 80 KB are read and stay in the cache. */
export const CHUNK = 256;
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
  /** Adds what the transactions from `from` to `to` match; pairs of a rule may come out of order and twice. */
  select(frames: Frames, from: number, to: number, columns: Columns, found: Found): void;
  /** Words of a frame that are read. */
  readonly words: readonly number[];
  /** Adds to the counts what was only noted: once behind all transactions of a batch. */
  count(found: Found): void;
}

/** @param counted whether a rule is only counted */
export function createKeyIndex(terms: readonly RuleTerm[], columns: Columns, counted: readonly boolean[]): KeyIndex {
  const combinations = new Map<string, { fields: KeyFields; terms: PlacedTerm[] }>();
  for (const term of terms) {
    const placed = place(term, (name) => combinations.has(name) || combinations.size < MAX_COMBINATIONS);
    const combination = combinations.get(placed.name);
    if (combination) combination.terms.push(placed);
    else combinations.set(placed.name, { fields: placed.fields, terms: [placed] });
  }
  const tables = [...combinations.values()].map((each) => createTable(each.fields, each.terms, columns, counted));
  return {
    words: tables.flatMap((table) => table.words),
    select(frames, from, to, filled, found) {
      for (const table of tables) table.select(frames, from, to, filled, found);
    },
    count(found) {
      for (const table of tables) table.count(found);
    },
  };
}

/** What each log has, or each entry of a section of the facts. */
type EachField = LogField | FactField | FactNameField;

/** What is hashed: the chain or not, fields of the transaction, and at most one of its logs' or of its facts'. */
interface KeyFields {
  readonly chain: boolean;
  readonly fixed: readonly BytesField[];
  readonly each: EachField | undefined;
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
    const each = chosen.find((key): key is Key & { field: EachField } => key.field.kind !== "bytes")?.field;
    const fixed = chosen.flatMap(({ field }) => (field.kind === "bytes" ? [field] : []));
    const fields = { chain: single !== undefined, fixed, each };
    const rest = new Map(numbers);
    if (single !== undefined) rest.delete(CHAIN);
    return {
      name: [fields.chain ? "chain" : "", ...fixed.map(({ name }) => name), each?.name ?? ""].join(" "),
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

/** Few values first; of as many those of facts, which few transactions have, and those of its logs last. */
const rank = ({ field, values }: Key): number =>
  values.length * 3 + (field.kind === "log" ? 2 : field.kind === "bytes" ? 1 : 0);

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

function createTable(
  { chain, fixed, each }: KeyFields,
  terms: readonly PlacedTerm[],
  columns: Columns,
  counted: readonly boolean[],
): Table {
  // words of the frame that make the key
  const ofFrame: number[] = chain ? [CHAIN.word, CHAIN.word + 1] : [];
  for (const { word, bytes } of fixed) for (let i = 0; i < bytes >> 2; i++) ofFrame.push(word + i);
  const places = Uint32Array.from(ofFrame);
  const log = each?.kind === "log" ? each : undefined;
  const entry = each?.kind === "log" ? undefined : each;
  // words of a log, or of an entry
  const eachPlaces = Uint32Array.from({ length: each ? each.bytes >> 2 : 0 }, (_, i) => each!.word + i);
  const length = places.length + eachPlaces.length;
  const required = fixed.reduce((bits, { present }) => (bits | present) >>> 0, 0);
  const inputBytes = Math.max(0, ...fixed.map((field) => field.inputBytes));

  const byKey = bucketsOf(terms);
  const buckets = createBuckets(byKey, length, columns, counted);
  const { memory: keys } = buckets;
  /** Hash and bucket of each slot, side by side so that a look is one cache line; at most half of the slots are taken. */
  const slots = new Int32Array(2 * 2 ** Math.ceil(Math.log2(byKey.length * 2 + 1))).fill(-1);
  const mask = slots.length / 2 - 1;
  /** A bit for each hash that there is, with 16 bits a key: it lets 1 of 16 other hashes through, and stays in the first cache. */
  const filter = new Uint32Array(Math.max(1, slots.length >> 3));
  const filterMask = filter.length - 1;
  for (const [b, { words }] of byKey.entries()) {
    let hash = SEED;
    for (const word of words) hash = mix(hash, word);
    hash = finish(hash);
    let slot = hash & mask;
    while (slots[slot * 2 + 1] !== -1) slot = (slot + 1) & mask;
    slots.set([hash, buckets.starts[b]!], slot * 2);
    filter[(hash >>> 5) & filterMask]! |= 1 << hash;
  }

  /** The bucket whose key is at these places, or −1. */
  function find(words: Uint32Array, frame: number, hash: number, eachWord: number): number {
    next: for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const bucket = slots[slot * 2 + 1]!;
      if (bucket === -1) return -1;
      if (slots[slot * 2] !== hash) continue;
      let at = bucket;
      for (let i = 0; i < places.length; i++) if ((words[frame + places[i]!]! | 0) !== keys[at++]) continue next;
      for (let i = 0; i < eachPlaces.length; i++)
        if ((words[eachWord + eachPlaces[i]!]! | 0) !== keys[at++]) continue next;
      return bucket;
    }
  }

  /** What passes the filter: transactions and their hashes. */
  const passed = new Uint32Array(CHUNK);
  const hashes = new Int32Array(CHUNK);

  /** Without a branch that depends on the transactions, so that several are under way at a time. @returns how many pass */
  function hashAll({ words, offsets }: Frames, from: number, to: number): number {
    let count = 0;
    for (let i = from; i < to; i++) {
      const frame = offsets[i]! >> 2;
      if ((words[frame + WORD.present]! & required) >>> 0 !== required) continue;
      if (inputBytes > 0 && words[frame + WORD.inputLength]! < inputBytes) continue;
      let hash = SEED;
      for (let p = 0; p < places.length; p++) hash = mix(hash, words[frame + places[p]!]!);
      hash = finish(hash);
      passed[count] = i;
      hashes[count] = hash;
      count += (filter[(hash >>> 5) & filterMask]! >>> hash) & 1;
    }
    return count;
  }

  const section = entry && sectionReader(entry.section);

  /** By what the entries of a section have. */
  function selectEntries(frames: Frames, from: number, to: number, filled: Columns, found: Found): void {
    const { words, offsets } = frames;
    const values = buckets.values(filled);
    const { count, first, step } = section!;
    const bit = entry!.bit;
    for (let i = from; i < to; i++) {
      const frame = offsets[i]! >> 2;
      const facts = factsAt(words, frame);
      if (facts < 0) continue; // nearly always
      if ((words[frame + WORD.present]! & required) >>> 0 !== required) continue;
      if (inputBytes > 0 && words[frame + WORD.inputLength]! < inputBytes) continue;
      let hash = SEED;
      for (let p = 0; p < places.length; p++) hash = mix(hash, words[frame + places[p]!]!);
      const by = step(words, facts);
      let walked = -1;
      for (let left = count(words, facts), at = first(words, facts); left > 0; left--, at += by) {
        if (bit !== 0 && (words[at]! & bit) === 0) continue;
        let ofEntry = hash;
        for (let p = 0; p < eachPlaces.length; p++) ofEntry = mix(ofEntry, words[at + eachPlaces[p]!]!);
        const bucket = find(words, frame, finish(ofEntry), at);
        if (bucket >= 0 && bucket !== walked) {
          buckets.walk(bucket, frames, i, frame, values, found);
          walked = bucket;
        }
      }
    }
  }

  return {
    // what lies behind the selector is read of those only that have it
    words: [WORD.present, WORD.inputLength, ...places.filter((word) => word <= WORD.input)],
    select(frames, from, to, filled, found) {
      if (entry) return selectEntries(frames, from, to, filled, found);
      const { words, offsets } = frames;
      const values = buckets.values(filled);
      if (log === undefined) {
        const count = hashAll(frames, from, to);
        for (let c = 0; c < count; c++) {
          const transaction = passed[c]!;
          const frame = offsets[transaction]! >> 2;
          const bucket = find(words, frame, hashes[c]!, 0);
          if (bucket >= 0) buckets.walk(bucket, frames, transaction, frame, values, found);
        }
        return;
      }
      for (let i = from; i < to; i++) {
        const frame = offsets[i]! >> 2;
        if ((words[frame + WORD.present]! & required) >>> 0 !== required) continue;
        if (inputBytes > 0 && words[frame + WORD.inputLength]! < inputBytes) continue;
        let hash = SEED;
        for (let p = 0; p < places.length; p++) hash = mix(hash, words[frame + places[p]!]!);
        let at = firstLog(words, frame);
        let walked = -1; // thousands of one event lead to the same place
        for (let left = words[frame + WORD.logCount]!; left > 0; left--) {
          if (words[at + LOG_WORD.topicCount]! >= log.topics) {
            let ofLog = hash;
            for (let p = 0; p < eachPlaces.length; p++) ofLog = mix(ofLog, words[at + eachPlaces[p]!]!);
            const bucket = find(words, frame, finish(ofLog), at);
            if (bucket >= 0 && bucket !== walked) {
              buckets.walk(bucket, frames, i, frame, values, found);
              walked = bucket;
            }
          }
          at = nextLog(words, at);
        }
      }
    },
    count: buckets.count,
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
