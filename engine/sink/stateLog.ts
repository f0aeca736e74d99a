/**
 * State of rules in the store: a log of what each batch wrote (table `rule_state`). What counts at an offset is the last row of each
 * key before it; rows from there on may belong to a range that was inserted and is to be processed again, so they are not looked at.
 */
import type { Store } from "../../clickhouse/client.ts";
import { splitLines } from "../source/recording.ts";
import type { ClosedRange } from "./storeRound.ts";

/** Entries by `stateKey`: see engine/state/stateTable.ts. */
export type StoredState = Map<string, Uint32Array>;

/** The last row of a key. */
export interface StateLine {
  readonly rule: string;
  readonly trial: number;
  readonly name: string;
  readonly shape: string;
  readonly key: string;
  readonly value: string;
  readonly generation: number;
}

const BEFORE = "source = {source:String} AND partition = {partition:UInt16} AND offset < {before:UInt64}";

/** Whose state it is, and which. */
export type StateName = Pick<StateLine, "rule" | "trial" | "name" | "shape">;

const ONLY = "rule = {rule:String} AND trial = {trial:UInt32} AND name = {name:String} AND shape = {shape:String}";

/** The state of a partition as of an offset, all of it or one counter or window. @throws StoreUnavailable */
export async function loadState(
  store: Store,
  source: string,
  partition: number,
  before: number,
  only?: StateName,
): Promise<StoredState> {
  const lines = await store.stream(
    `SELECT rule, trial, name, shape, hex(key) AS key, hex(argMax(value, offset)) AS value, argMax(generation, offset) AS generation
     FROM rule_state WHERE ${BEFORE}${only ? ` AND ${ONLY}` : ""} GROUP BY rule, trial, name, shape, key`,
    { source, partition, before, ...only },
  );
  const entries: Entries = new Map();
  for await (const line of splitLines(lines)) addLine(entries, JSON.parse(line.toString()) as StateLine);
  return joinAll(entries);
}

/** The same of rows that somebody else has read. */
export function stateOfLines(lines: readonly StateLine[]): StoredState {
  const entries: Entries = new Map();
  for (const line of lines) addLine(entries, line);
  return joinAll(entries);
}

type Entries = Map<string, Uint32Array[]>;

function addLine(entries: Entries, { key, value, generation, ...name }: StateLine): void {
  const table = stateKey(name);
  const words = new Uint32Array(1 + (key.length + value.length) / 8);
  words[0] = generation;
  new Uint8Array(words.buffer).set(Buffer.from(key + value, "hex"), 4);
  const known = entries.get(table);
  if (known) known.push(words);
  else entries.set(table, [words]);
}

const joinAll = (entries: Entries): StoredState => new Map([...entries].map(([table, all]) => [table, joined(all)]));

/** What a table of state is known by. */
export const stateKey = (of: StateName): string => [of.rule, of.trial, of.name, of.shape].join("\n");

function joined(all: readonly Uint32Array[]): Uint32Array {
  const words = new Uint32Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of all) {
    words.set(each, at);
    at += each.length;
  }
  return words;
}

/**
 * Removes what nobody will ask for again once everything below an offset is stored, and the ledger says so: rows of a key before its
 * last one, and keys that are forgotten.
 */
export async function compactState(store: Store, source: string, partition: number, before: number): Promise<void> {
  await store.command(
    `DELETE FROM rule_state WHERE ${BEFORE} AND (
       (rule, trial, name, shape, key, offset) NOT IN (
         SELECT rule, trial, name, shape, key, max(offset) FROM rule_state WHERE ${BEFORE} GROUP BY rule, trial, name, shape, key)
       OR (rule, trial, name, shape, generation) NOT IN (
         SELECT rule, trial, name, shape, arrayJoin([newest, newest - 1])
         FROM (SELECT rule, trial, name, shape, max(generation) AS newest FROM rule_state WHERE ${BEFORE} GROUP BY rule, trial, name, shape)))`,
    { source, partition, before },
  );
}

/** Rows that a partition's log may have more than it needs. */
const COMPACT_ROWS = 200_000;

/** Compacts the log of a partition whenever it has more than twice what was left of it the last time, and some. */
export function createStateCompactor(store: Store, spare = COMPACT_ROWS) {
  const logs = new Map<string, { rows: number; most: number }>();
  const count = async (source: string, partition: number): Promise<number> => {
    const [row] = await store.rows<{ rows: string }>(
      "SELECT count() AS rows FROM rule_state WHERE source = {source:String} AND partition = {partition:UInt16}",
      { source, partition },
    );
    return Number(row!.rows);
  };

  /** To be called once a range is stored. @param stored everything below is, and the ledger says so */
  return async (
    source: string,
    partition: number,
    range: Pick<ClosedRange, "blocks">,
    stored: number,
  ): Promise<void> => {
    const added = (range.blocks.rule_state ?? []).reduce((sum, { rows }) => sum + rows, 0);
    if (added === 0) return;
    const key = `${source}/${partition}`;
    const known = logs.get(key);
    const log = known ?? { rows: await count(source, partition), most: spare };
    logs.set(key, log);
    if (known) log.rows += added;
    if (log.rows <= log.most) return;
    await compactState(store, source, partition, stored);
    log.rows = await count(source, partition);
    log.most = log.rows * 2 + spare;
  };
}
