/**
 * The tables' columns as the engine writes them, and how a transaction's columns come out of its frame: column by column over
 * a batch, copying words, no object and no string per transaction. The columns' meaning, codecs and comments are in
 * `migrations/`; a test holds the two against each other.
 */
import {
  ACCESS,
  FIELD_WIDTH,
  FIELDS,
  type FieldName,
  LOG,
  OFFSET,
  type Optional,
  PRESENT,
} from "../engine/frame/schema.ts";
import {
  type Block,
  type BlockWriter,
  createBlockWriter,
  encodeRows,
  PART,
  raw,
  reserve,
  startBlock,
  startColumn,
  startPart,
  string,
  takeBlock,
  u64,
  varuint,
} from "./native.ts";

/** A batch of frames and where each stood: what rows of `transactions` are made from. */
export interface TransactionRows {
  readonly source: string;
  readonly partition: number;
  readonly count: number;
  /** Frames back to back, and the same bytes as words. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Byte offset of each frame. */
  readonly frames: Uint32Array;
  /** Offset, broker's time in ms and index within the record, of each transaction. */
  readonly offsets: Float64Array;
  readonly times: Float64Array;
  readonly indexes: Uint32Array;
  /** event_time of each transaction in µs. */
  readonly events: Float64Array;
  /** Tags by transaction number; most have none. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  readonly scores: ReadonlyMap<number, number>;
}

/** Some of the rows, from the one with this number on; tags and scores are those of all. */
interface Tile extends TransactionRows {
  readonly first: number;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly write: (out: BlockWriter, rows: Tile) => void;
}

const TRANSACTION_COLUMNS: readonly Column[] = [
  { name: "source", type: "String", write: (out, rows) => repeat(out, rows.count, rows.source) },
  {
    name: "partition",
    type: "UInt16",
    write: (out, rows) => values(out, new Uint16Array(rows.count).fill(rows.partition)),
  },
  { name: "offset", type: "UInt64", write: (out, rows) => wholes(out, rows.offsets, rows.count) },
  { name: "n", type: "UInt32", write: (out, rows) => values(out, rows.indexes.subarray(0, rows.count)) },
  { name: "record_time", type: "DateTime64(3, 'UTC')", write: (out, rows) => wholes(out, rows.times, rows.count) },
  { name: "event_time", type: "DateTime64(6, 'UTC')", write: (out, rows) => wholes(out, rows.events, rows.count) },
  header("chain_id", "UInt64", "chainId"),
  header("hash", "FixedString(32)", "hash"),
  header("from_address", "FixedString(20)", "from"),
  header("to_address", "FixedString(20)", "to", "to"),
  header("nonce", "UInt64", "nonce"),
  header("value", "UInt256", "value"),
  header("gas", "UInt64", "gas"),
  header("gas_price", "UInt128", "gasPrice", "gasPrice"),
  header("max_fee_per_gas", "UInt128", "maxFeePerGas", "maxFeePerGas"),
  header("max_priority_fee_per_gas", "UInt128", "maxPriorityFeePerGas", "maxPriorityFeePerGas"),
  header("type", "UInt8", "type", "type"),
  { name: "input", type: "String", write: input },
  header("seen_at", "DateTime64(6, 'UTC')", "seenAt", "seenAt"),
  header("block_number", "UInt64", "blockNumber", "blockNumber"),
  header("block_hash", "FixedString(32)", "blockHash", "blockHash"),
  header("transaction_index", "UInt32", "transactionIndex", "transactionIndex"),
  header("block_parent_hash", "FixedString(32)", "blockParentHash", "blockParentHash"),
  header("block_timestamp", "DateTime64(0, 'UTC')", "blockTimestamp", "blockTimestamp"),
  header("block_miner", "FixedString(20)", "miner", "miner"),
  header("block_gas_used", "UInt64", "blockGasUsed", "blockGasUsed"),
  header("block_gas_limit", "UInt64", "blockGasLimit", "blockGasLimit"),
  header("base_fee_per_gas", "UInt128", "baseFeePerGas", "baseFeePerGas"),
  header("block_transaction_count", "UInt32", "blockTransactionCount", "blockTransactionCount"),
  header("status", "UInt8", "status", "status"),
  header("gas_used", "UInt64", "gasUsed", "gasUsed"),
  header("cumulative_gas_used", "UInt64", "cumulativeGasUsed", "cumulativeGasUsed"),
  header("effective_gas_price", "UInt128", "effectiveGasPrice", "effectiveGasPrice"),
  header("contract_address", "FixedString(20)", "contractAddress", "contractAddress"),
  {
    name: "log_index",
    type: "Array(UInt32)",
    write: (out, rows) =>
      entries(out, rows, logs, (at) => raw(out, rows.bytes, at + LOG.logIndex, at + LOG.logIndex + 4)),
  },
  {
    name: "log_address",
    type: "Array(FixedString(20))",
    write: (out, rows) =>
      entries(out, rows, logs, (at) => raw(out, rows.bytes, at + LOG.address, at + LOG.address + 20)),
  },
  {
    name: "log_topics",
    type: "Array(Array(FixedString(32)))",
    write: (out, rows) => hashes(out, rows, logs, LOG.topicCount, LOG.topics),
  },
  {
    name: "log_data",
    type: "Array(String)",
    write: (out, rows) => entries(out, rows, logs, (at) => logData(out, rows, at)),
  },
  {
    name: "access_address",
    type: "Array(FixedString(20))",
    write: (out, rows) =>
      entries(out, rows, accesses, (at) => raw(out, rows.bytes, at + ACCESS.address, at + ACCESS.address + 20)),
  },
  {
    name: "access_keys",
    type: "Array(Array(FixedString(32)))",
    write: (out, rows) => hashes(out, rows, accesses, ACCESS.keyCount, ACCESS.keys),
  },
  { name: "extra", type: "String", write: extra },
  header("present", "UInt32", "present"),
  { name: "tags", type: "Array(String)", write: tags },
  { name: "score", type: "Nullable(Float64)", write: scores },
];

export const ALERT_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["alert_id", "FixedString(16)"],
  ["rule", "String"],
  ["rule_version", "UInt32"],
  ["severity", "String"],
  ["ordinal", "UInt16"],
  ["chain_id", "UInt64"],
  ["tx_hash", "FixedString(32)"],
  ["block_number", "Nullable(UInt64)"],
  ["block_hash", "Nullable(FixedString(32))"],
  ["from_address", "FixedString(20)"],
  ["to_address", "Nullable(FixedString(20))"],
  ["message", "String"],
] as const;

export interface AlertRow {
  source: string;
  partition: number;
  offset: number;
  n: number;
  /** µs since 1970 */
  event_time: number;
  alert_id: Uint8Array;
  rule: string;
  rule_version: number;
  severity: string;
  ordinal: number;
  chain_id: number;
  tx_hash: Uint8Array;
  block_number: number | null;
  block_hash: Uint8Array | null;
  from_address: Uint8Array;
  to_address: Uint8Array | null;
  message: string;
}

export const DEAD_LETTER_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["n", "UInt32"],
  ["record_time", "DateTime64(3, 'UTC')"],
  ["reason", "String"],
  ["detail", "String"],
  ["rule", "String"],
  ["size", "UInt32"],
  ["sha256", "FixedString(32)"],
  ["bytes", "String"],
] as const;

export interface DeadLetterRow {
  source: string;
  partition: number;
  offset: number;
  n: number;
  /** ms since 1970 */
  record_time: number;
  reason: string;
  detail: string;
  rule: string;
  size: number;
  sha256: Uint8Array;
  bytes: Uint8Array;
}

export const RULE_STAT_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["event_time", "DateTime64(6, 'UTC')"],
  ["world", "String"],
  ["rule", "String"],
  ["rule_version", "UInt32"],
  ["evaluations", "UInt64"],
  ["matches", "UInt64"],
  ["traps", "UInt64"],
  ["fuel", "UInt64"],
  ["skipped", "UInt64"],
  ["added", "UInt64"],
  ["dropped", "UInt64"],
  ["added_hashes", "Array(FixedString(32))"],
  ["dropped_hashes", "Array(FixedString(32))"],
] as const;

export interface RuleStatRow {
  source: string;
  partition: number;
  offset: number;
  event_time: number;
  world: string;
  rule: string;
  rule_version: number;
  evaluations: number;
  matches: number;
  traps: number;
  fuel: number;
  skipped: number;
  added: number;
  dropped: number;
  added_hashes: readonly Uint8Array[];
  dropped_hashes: readonly Uint8Array[];
}

export const RULE_STATE_COLUMNS = [
  ["source", "String"],
  ["partition", "UInt16"],
  ["offset", "UInt64"],
  ["rule", "String"],
  ["trial", "UInt32"],
  ["name", "String"],
  ["shape", "String"],
  ["key", "String"],
  ["value", "String"],
  ["generation", "UInt32"],
] as const;

/** Rows of one counter or window: its entries as they lie in memory, of which there may be thousands a batch. */
export interface RuleStateRows {
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  readonly rule: string;
  readonly trial: number;
  readonly name: string;
  readonly shape: string;
  /** u32 generation │ key │ value, so many words each. */
  readonly entries: Uint32Array;
  readonly keyWords: number;
  readonly entryWords: number;
}

/** Columns of each table in the order its blocks have them. */
export const COLUMNS = {
  transactions: TRANSACTION_COLUMNS.map(({ name, type }) => [name, type] as const),
  alerts: ALERT_COLUMNS,
  dead_letters: DEAD_LETTER_COLUMNS,
  rule_stats: RULE_STAT_COLUMNS,
  rule_state: RULE_STATE_COLUMNS,
} satisfies Record<string, readonly (readonly [string, string])[]>;

export const encodeAlerts = (rows: readonly AlertRow[]): Block => encodeRows(ALERT_COLUMNS, rows);
export const encodeDeadLetters = (rows: readonly DeadLetterRow[]): Block => encodeRows(DEAD_LETTER_COLUMNS, rows);
export const encodeRuleStats = (rows: readonly RuleStatRow[]): Block => encodeRows(RULE_STAT_COLUMNS, rows);

const writer = createBlockWriter(8 << 20);

/**
 * Frames that are encoded at a time. Column after column goes over all of them, so they should stay in the core's cache:
 * 16 MB of frames take 3.5 µs a row at once, 2.0 in tiles of 1,024 and 1.7 in tiles of 512 (2.6 MB: 1.8 and 1.45).
 */
const TILE = 512;

/** Native blocks of `transactions`, of so many rows that their frames fit the core's cache. */
export function encodeTransactions(rows: TransactionRows): Block[] {
  const blocks: Block[] = [];
  for (let first = 0; first < rows.count; first += TILE) blocks.push(encodeTile(tileOf(rows, first)));
  return blocks;
}

function tileOf(rows: TransactionRows, first: number): Tile {
  const end = Math.min(first + TILE, rows.count);
  return {
    ...rows,
    first,
    count: end - first,
    frames: rows.frames.subarray(first, end),
    offsets: rows.offsets.subarray(first, end),
    times: rows.times.subarray(first, end),
    indexes: rows.indexes.subarray(first, end),
    events: rows.events.subarray(first, end),
  };
}

function encodeTile(tile: Tile): Block {
  startBlock(writer, TRANSACTION_COLUMNS.length, tile.count);
  for (const column of TRANSACTION_COLUMNS) {
    startColumn(writer, column.name, column.type);
    column.write(writer, tile);
  }
  return takeBlock(writer);
}

type StateColumn = (typeof RULE_STATE_COLUMNS)[number][0];

const STATE_WRITERS: Readonly<Record<StateColumn, (out: BlockWriter, rows: RuleStateRows, count: number) => void>> = {
  source: (out, { source }, count) => repeat(out, count, source),
  partition: (out, { partition }, count) => values(out, new Uint16Array(count).fill(partition)),
  offset: (out, { offset }, count) => wholes(out, new Float64Array(count).fill(offset), count),
  rule: (out, { rule }, count) => repeat(out, count, rule),
  trial: (out, { trial }, count) => values(out, new Uint32Array(count).fill(trial)),
  name: (out, { name }, count) => repeat(out, count, name),
  shape: (out, { shape }, count) => repeat(out, count, shape),
  key: (out, { entries, keyWords, entryWords }) => parts(out, entries, entryWords, 1, 1 + keyWords),
  value: (out, { entries, keyWords, entryWords }) => parts(out, entries, entryWords, 1 + keyWords, entryWords),
  generation: (out, { entries, entryWords }, count) =>
    values(
      out,
      Uint32Array.from({ length: count }, (_, i) => entries[i * entryWords]!),
    ),
};

/** From word to word of each entry, as String. */
function parts(out: BlockWriter, entries: Uint32Array, entryWords: number, from: number, to: number): void {
  const bytes = new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength);
  for (let at = 0; at < entries.length; at += entryWords) sized(out, bytes, (at + from) * 4, (to - from) * 4);
}

/** One block of all: 1.8 µs a row of a counter and a window of 60 steps under load; from row objects it took three times as long. */
export function encodeRuleState(all: readonly RuleStateRows[]): Block {
  const countOf = ({ entries, entryWords }: RuleStateRows): number => entries.length / entryWords;
  startBlock(writer, RULE_STATE_COLUMNS.length, all.reduce((sum, rows) => sum + countOf(rows), 0)); // biome-ignore format: one call
  for (const [name, type] of RULE_STATE_COLUMNS) {
    startColumn(writer, name, type);
    for (const rows of all) STATE_WRITERS[name](writer, rows, countOf(rows));
  }
  return takeBlock(writer);
}

/** The last columns: what rules say of a transaction. */
const MARK_COLUMNS = TRANSACTION_COLUMNS.slice(-2);

/** What is said of a batch's transactions, by their number in it. */
export type TransactionMarks = Pick<TransactionRows, "tags" | "scores">;

/** A batch's transactions with more tags and scores than they had: only blocks with such change. */
export function withMarks(blocks: readonly Block[], had: TransactionMarks, more: TransactionMarks): Block[] {
  const tags = new Map(had.tags);
  for (const [number, added] of more.tags) tags.set(number, [...new Set([...(tags.get(number) ?? []), ...added])]);
  const scores = new Map(had.scores);
  for (const [number, score] of more.scores) scores.set(number, Math.max(score, scores.get(number) ?? 0));
  const touched = new Set([...more.tags.keys(), ...more.scores.keys()].map((number) => Math.floor(number / TILE)));
  return blocks.map((block, i) => (touched.has(i) ? remark(block, i * TILE, { tags, scores }) : block));
}

function remark(block: Block, first: number, marks: TransactionMarks): Block {
  let part = block.parts.length;
  for (let names = 0; names < MARK_COLUMNS.length; ) {
    part -= 2;
    if (block.parts[part] === PART.names) names++;
  }
  raw(writer, block.bytes, 0, block.parts[part + 1]!);
  writer.rows = block.rows;
  writer.parts = [...block.parts.subarray(0, part)];
  for (const { name, type, write } of MARK_COLUMNS) {
    startColumn(writer, name, type);
    write(writer, { first, count: block.rows, ...marks } as Tile); // these columns look at nothing else
  }
  return takeBlock(writer);
}

/** A column that is a field of the header. With `optional` it is Nullable; absent fields are zero in the frame, as Native wants them. */
function header(name: string, type: string, field: FieldName, optional?: Optional): Column {
  const width = FIELD_WIDTH[FIELDS.find((f) => f.name === field)!.type];
  const offset = OFFSET[field];
  const bit = optional ? PRESENT[optional] : 0;
  const copy = width === 1 ? copyBytes : copyWords;
  return {
    name,
    type: optional ? `Nullable(${type})` : type,
    write: (out, rows) => {
      if (bit) nullMap(out, rows, bit);
      copy(out, rows, offset, width);
    },
  };
}

function nullMap(out: BlockWriter, { count, frames, words }: TransactionRows, bit: number): void {
  reserve(out, count);
  const { bytes, at } = out;
  const presentWord = OFFSET.present >> 2;
  for (let i = 0; i < count; i++) bytes[at + i] = words[(frames[i] >> 2) + presentWord] & bit ? 0 : 1;
  out.at += count;
  startPart(out, PART.values);
}

/** Columns start at any byte, so words are gathered in an aligned scratch and copied at once. */
let scratch = new Uint32Array(1 << 16);
let scratchBytes = new Uint8Array(scratch.buffer);

function copyWords(out: BlockWriter, { count, frames, words }: TransactionRows, offset: number, width: number): void {
  const perRow = width >> 2;
  if (scratch.length < count * perRow) {
    scratch = new Uint32Array(count * perRow);
    scratchBytes = new Uint8Array(scratch.buffer);
  }
  for (let i = 0, to = 0; i < count; i++) {
    const from = (frames[i] + offset) >> 2;
    for (let j = from; j < from + perRow; j++) scratch[to++] = words[j];
  }
  raw(out, scratchBytes, 0, count * width);
}

function copyBytes(out: BlockWriter, { count, frames, bytes }: TransactionRows, offset: number): void {
  reserve(out, count);
  for (let i = 0; i < count; i++) out.bytes[out.at + i] = bytes[frames[i] + offset];
  out.at += count;
}

function values(out: BlockWriter, array: Uint16Array | Uint32Array): void {
  raw(out, new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 0, array.byteLength);
}

function wholes(out: BlockWriter, numbers: Float64Array, count: number): void {
  reserve(out, count * 8);
  for (let i = 0; i < count; i++) u64(out, numbers[i]);
}

function repeat(out: BlockWriter, count: number, text: string): void {
  const start = out.at;
  if (count === 0) return;
  string(out, text);
  const width = out.at - start;
  reserve(out, (count - 1) * width);
  for (let i = 1; i < count; i++, out.at += width) out.bytes.copyWithin(out.at, start, start + width);
}

function input(out: BlockWriter, { count, frames, words, bytes }: TransactionRows): void {
  for (let i = 0; i < count; i++) {
    sized(out, bytes, frames[i] + headerSize(words, frames[i]), words[(frames[i] + OFFSET.inputLength) >> 2]);
  }
}

function extra(out: BlockWriter, { count, frames, words, bytes }: TransactionRows): void {
  for (let i = 0; i < count; i++) {
    const at = frames[i] >> 2;
    const length = words[at + (OFFSET.extraLength >> 2)];
    sized(out, bytes, frames[i] + words[at + (OFFSET.size >> 2)] - ((length + 7) & ~7), length);
  }
}

function sized(out: BlockWriter, bytes: Uint8Array, start: number, length: number): void {
  reserve(out, 10);
  varuint(out, length);
  raw(out, bytes, start, start + length);
}

/** The header's own size: the upper half of its first word. */
const headerSize = (words: Uint32Array, frame: number): number => words[frame >> 2] >>> 16;

/** A list behind the header: how many entries a frame has, and where the first begins. */
interface List {
  readonly count: number;
  start(words: Uint32Array, frame: number): number;
}

const accesses: List = {
  count: OFFSET.accessListCount,
  start: (words, frame) => frame + headerSize(words, frame) + ((words[(frame + OFFSET.inputLength) >> 2] + 7) & ~7),
};

const logs: List = {
  count: OFFSET.logCount,
  start: (words, frame) => accesses.start(words, frame) + words[(frame + OFFSET.accessListLength) >> 2],
};

/** Array column: the ends of each row's items, then one call an item with its byte offset. */
function entries(
  out: BlockWriter,
  rows: TransactionRows,
  list: List,
  item: (at: number) => void,
  items: typeof PART.values | typeof PART.ends = PART.values,
): void {
  const { count, frames, words } = rows;
  reserve(out, count * 8);
  startPart(out, PART.ends);
  for (let i = 0, end = 0; i < count; i++) u64(out, (end += words[(frames[i] + list.count) >> 2]));
  startPart(out, items);
  for (let i = 0; i < count; i++) {
    const length = words[(frames[i] + list.count) >> 2];
    if (length === 0) continue;
    let at = list.start(words, frames[i]);
    for (let k = 0; k < length; k++) {
      item(at);
      at += words[at >> 2];
    }
  }
}

/** Array of arrays of 32-byte hashes: ends of the outer, ends of the inner, then the hashes. */
function hashes(out: BlockWriter, rows: TransactionRows, list: List, countAt: number, firstAt: number): void {
  const { words, bytes } = rows;
  let end = 0;
  const inner = (at: number): void => {
    reserve(out, 8);
    u64(out, (end += words[(at + countAt) >> 2]));
  };
  entries(out, rows, list, inner, PART.ends);
  startPart(out, PART.values);
  for (let i = 0; i < rows.count; i++) {
    const items = words[(rows.frames[i] + list.count) >> 2];
    if (items === 0) continue;
    let at = list.start(words, rows.frames[i]);
    for (let k = 0; k < items; k++) {
      raw(out, bytes, at + firstAt, at + firstAt + 32 * words[(at + countAt) >> 2]);
      at += words[at >> 2];
    }
  }
}

function logData(out: BlockWriter, { words, bytes }: TransactionRows, at: number): void {
  sized(out, bytes, at + LOG.topics + 32 * words[(at + LOG.topicCount) >> 2], words[(at + LOG.dataLength) >> 2]);
}

function tags(out: BlockWriter, rows: Tile): void {
  reserve(out, rows.count * 8);
  startPart(out, PART.ends);
  for (let i = 0, end = 0; i < rows.count; i++) u64(out, (end += rows.tags.get(rows.first + i)?.length ?? 0));
  startPart(out, PART.values);
  for (let i = 0; i < rows.count; i++) for (const tag of rows.tags.get(rows.first + i) ?? []) string(out, tag);
}

function scores(out: BlockWriter, rows: Tile): void {
  reserve(out, rows.count * 9);
  for (let i = 0; i < rows.count; i++) out.bytes[out.at++] = rows.scores.has(rows.first + i) ? 0 : 1;
  startPart(out, PART.values);
  const numbers = new Float64Array(rows.count);
  for (let i = 0; i < rows.count; i++) numbers[i] = rows.scores.get(rows.first + i) ?? 0;
  raw(out, new Uint8Array(numbers.buffer), 0, numbers.byteLength);
}
