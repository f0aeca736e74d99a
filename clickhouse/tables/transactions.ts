/**
 * How a transaction's columns come out of its frame: column by column over a batch, copying words, no object and no string per
 * transaction.
 */

import { riskScore } from "../../engine/chain/risk/factors.ts";
import { ACCESS, LOG } from "../../engine/frame/schema.ts";
import {
  type Block,
  type BlockWriter,
  createBlockWriter,
  PART,
  partIs,
  raw,
  reserve,
  startColumn,
  startPart,
  string,
  takeBlock,
  u64,
} from "../native.ts";
import { fill, values, wholes } from "./columns.ts";
import {
  accesses,
  type Column,
  EVENT_TIME_COLUMN,
  encodeColumns,
  entries,
  extra,
  hashes,
  header,
  input,
  logData,
  logs,
  POSITION_COLUMNS,
  presence,
  type Tile,
  type TransactionRows,
} from "./frameColumns.ts";

export const TRANSACTION_COLUMNS: readonly Column[] = [
  ...POSITION_COLUMNS,
  { name: "record_time", type: "DateTime64(3, 'UTC')", write: (out, rows) => wholes(out, rows.times, rows.count) },
  EVENT_TIME_COLUMN,
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
    lacks: ({ someLogs }) => !someLogs,
    write: (out, rows) =>
      entries(out, rows, logs, (at) => raw(out, rows.bytes, at + LOG.logIndex, at + LOG.logIndex + 4)),
  },
  {
    name: "log_address",
    type: "Array(FixedString(20))",
    lacks: ({ someLogs }) => !someLogs,
    write: (out, rows) =>
      entries(out, rows, logs, (at) => raw(out, rows.bytes, at + LOG.address, at + LOG.address + 20)),
  },
  {
    name: "log_topics",
    type: "Array(Array(FixedString(32)))",
    lacks: ({ someLogs }) => !someLogs,
    write: (out, rows) => hashes(out, rows, logs, LOG.topicCount, LOG.topics),
  },
  {
    name: "log_data",
    type: "Array(String)",
    lacks: ({ someLogs }) => !someLogs,
    write: (out, rows) => entries(out, rows, logs, (at) => logData(out, rows, at)),
  },
  {
    name: "access_address",
    type: "Array(FixedString(20))",
    lacks: ({ someAccesses }) => !someAccesses,
    write: (out, rows) =>
      entries(out, rows, accesses, (at) => raw(out, rows.bytes, at + ACCESS.address, at + ACCESS.address + 20)),
  },
  {
    name: "access_keys",
    type: "Array(Array(FixedString(32)))",
    lacks: ({ someAccesses }) => !someAccesses,
    write: (out, rows) => hashes(out, rows, accesses, ACCESS.keyCount, ACCESS.keys),
  },
  { name: "extra", type: "String", write: extra },
  header("present", "UInt32", "present"),
  { name: "risk", type: "Nullable(UInt8)", write: risk },
  { name: "risk_factors", type: "UInt32", write: (out, rows) => values(out, rows.risks.subarray(0, rows.count)) },
  { name: "tags", type: "Array(String)", write: tags },
  { name: "score", type: "Nullable(Float64)", write: scores },
];

const writer = createBlockWriter(8 << 20);

/**
 * Frames that are encoded at a time. Column after column goes over all of them, so they should stay in the core's cache:
 * 16 MB of frames take 3.5 µs a row at once, 2.0 in tiles of 1,024 and 1.7 in tiles of 512 (2.6 MB: 1.8 and 1.45).
 */
export const TILE = 512;

/** Native blocks of `transactions`, of so many rows that their frames fit the core's cache. */
export function encodeTransactions(rows: TransactionRows): Block[] {
  const blocks: Block[] = [];
  for (let first = 0; first < rows.count; first += TILE)
    blocks.push(encodeColumns(TRANSACTION_COLUMNS, tileOf(rows, first)));
  return blocks;
}

function tileOf(rows: TransactionRows, first: number): Tile {
  const end = Math.min(first + TILE, rows.count);
  const tile = {
    ...rows,
    first,
    count: end - first,
    frames: rows.frames.subarray(first, end),
    offsets: rows.offsets.subarray(first, end),
    times: rows.times.subarray(first, end),
    indexes: rows.indexes.subarray(first, end),
    events: rows.events.subarray(first, end),
    risks: rows.risks.subarray(first, end),
  };
  return { ...tile, ...presence(tile) };
}

/** The last columns: what rules say of a transaction. */
const MARK_COLUMNS = TRANSACTION_COLUMNS.slice(-2);

/** What is said of a batch's transactions, by their number in it. */
export type TransactionMarks = Pick<TransactionRows, "tags" | "scores">;

/** A batch's transactions with more tags and scores than they had: only blocks with such change. */
export function withMarks(blocks: readonly Block[], had: TransactionMarks, more: TransactionMarks): Block[] {
  const marks = moreMarks(had, more);
  const touched = new Set([...more.tags.keys(), ...more.scores.keys()].map((number) => Math.floor(number / TILE)));
  return blocks.map((block, i) => (touched.has(i) ? remark(block, i * TILE, marks) : block));
}

/** Tags of both, each once, and the higher score. */
export function moreMarks(had: TransactionMarks, more: TransactionMarks): TransactionMarks {
  const tags = new Map(had.tags);
  for (const [number, added] of more.tags) tags.set(number, [...new Set([...(tags.get(number) ?? []), ...added])]);
  const scores = new Map(had.scores);
  for (const [number, score] of more.scores) scores.set(number, Math.max(score, scores.get(number) ?? 0));
  return { tags, scores };
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
  return { ...takeBlock(writer), ...(block.without && { without: block.without }) };
}

function risk(out: BlockWriter, { risks, count }: Tile): void {
  partIs(out, PART.nulls);
  fill(out, 0, count);
  startPart(out, PART.values);
  values(out, Uint8Array.from(risks.subarray(0, count), riskScore));
}

function tags(out: BlockWriter, { tags, first, count }: Tile): void {
  partIs(out, PART.ends);
  if (tags.size === 0) fill(out, 0, count * 8);
  else {
    reserve(out, count * 8);
    for (let i = 0, end = 0; i < count; i++) u64(out, (end += tags.get(first + i)?.length ?? 0));
  }
  startPart(out, PART.values);
  if (tags.size === 0) return;
  for (let i = 0; i < count; i++) for (const tag of tags.get(first + i) ?? []) string(out, tag);
}

function scores(out: BlockWriter, { scores, first, count }: Tile): void {
  partIs(out, PART.nulls);
  if (scores.size === 0) fill(out, 1, count);
  else {
    reserve(out, count);
    for (let i = 0; i < count; i++) out.bytes[out.at++] = scores.has(first + i) ? 0 : 1;
  }
  startPart(out, PART.values);
  if (scores.size === 0) fill(out, 0, count * 8);
  else {
    const numbers = new Float64Array(count);
    for (let i = 0; i < count; i++) numbers[i] = scores.get(first + i) ?? 0;
    raw(out, new Uint8Array(numbers.buffer), 0, numbers.byteLength);
  }
}
