/**
 * Rows of transfers out of frames and their logs, column by column, copying words: there are more of them than transactions, so no object, BigInt or
 * string is made of one. What the columns mean is in the migration; which logs are transfers, engine/worker/transfers.ts says.
 */
import { NATIVE } from "../../engine/chain/swap.ts";
import { LOG, OFFSET, PRESENT } from "../../engine/frame/schema.ts";
import { type Block, type BlockWriter, reserve } from "../native.ts";
import {
  type Column,
  EVENT_TIME_COLUMN,
  encodeColumns,
  type FrameRows,
  header,
  POSITION_COLUMNS,
  type Presence,
  presence,
} from "./frameColumns.ts";

/** By number, the first three as in TRANSFER_EVENTS: erc20 names two parties, a deposit whom it is made for, a withdrawal whom it is taken from. */
export const TRANSFER_KINDS = ["erc20", "deposit", "withdrawal", "native"] as const;
export const [ERC20, DEPOSIT, WITHDRAWAL, VALUE] = [0, 1, 2, 3] as const;

/** A row a transfer; frames, offsets, indexes and events are those of its transaction. */
export interface TransferRows extends FrameRows {
  /** Byte offset of its log; of the transaction's own value 0. */
  readonly logs: Uint32Array;
  /** Number in TRANSFER_KINDS. */
  readonly kinds: Uint8Array;
}

type Tile = TransferRows & Presence;

export const TRANSFER_COLUMNS: readonly Column<Tile>[] = [
  ...POSITION_COLUMNS,
  EVENT_TIME_COLUMN,
  header("chain_id", "UInt64", "chainId"),
  header("block_number", "UInt64", "blockNumber"),
  header("block_hash", "FixedString(32)", "blockHash", "blockHash"),
  header("block_timestamp", "DateTime64(0, 'UTC')", "blockTimestamp", "blockTimestamp"),
  header("transaction_index", "UInt32", "transactionIndex", "transactionIndex"),
  header("tx_hash", "FixedString(32)", "hash"),
  { name: "log_index", type: "Int64", write: logIndexes },
  { name: "kind", type: "String", write: kinds },
  { name: "token", type: "FixedString(20)", write: (out, rows) => addresses(out, rows, tokenAt) },
  { name: "from_address", type: "FixedString(20)", write: (out, rows) => addresses(out, rows, fromAt) },
  { name: "to_address", type: "FixedString(20)", write: (out, rows) => addresses(out, rows, toAt) },
  { name: "amount", type: "UInt256", write: amounts },
];

/** As of transactions: columns after columns go over the rows' frames, which should stay in the core's cache. */
const TILE = 1024;

/** Native blocks of `transfers`. */
export function encodeTransfers(rows: TransferRows): Block[] {
  const blocks: Block[] = [];
  for (let first = 0; first < rows.count; first += TILE) {
    const end = Math.min(first + TILE, rows.count);
    const part = {
      ...rows,
      count: end - first,
      frames: rows.frames.subarray(first, end),
      offsets: rows.offsets.subarray(first, end),
      indexes: rows.indexes.subarray(first, end),
      events: rows.events.subarray(first, end),
      logs: rows.logs.subarray(first, end),
      kinds: rows.kinds.subarray(first, end),
    };
    blocks.push(encodeColumns(TRANSFER_COLUMNS, { ...part, ...presence(part) }));
  }
  return blocks;
}

/** -1 for a transaction's own value. */
function logIndexes(out: BlockWriter, { count, words, logs, kinds }: Tile): void {
  const indexes = new Int32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const isValue = kinds[i] === VALUE;
    indexes[2 * i] = isValue ? -1 : words[(logs[i]! + LOG.logIndex) >> 2]!;
    indexes[2 * i + 1] = isValue ? -1 : 0;
  }
  words32(out, indexes);
}

/** Each kind's name as Native has it: its length, then its bytes. */
const NAMES = TRANSFER_KINDS.map((kind) => Buffer.from(`${String.fromCharCode(kind.length)}${kind}`));

function kinds(out: BlockWriter, { count, kinds }: Tile): void {
  reserve(out, count * 11);
  const { bytes } = out;
  for (let i = 0; i < count; i++) {
    const name = NAMES[kinds[i]!]!;
    for (let j = 0; j < name.length; j++) bytes[out.at++] = name[j]!;
  }
}

/** Addresses that stand nowhere in a frame: below 0 so that they are no offsets. */
const [NATIVE_COIN, NOBODY] = [-1, -2];
const NATIVE_WORDS = new Uint32Array(new Uint8Array(Buffer.from(NATIVE.slice(2), "hex")).buffer);

const tokenAt = ({ logs, kinds }: Tile, i: number): number =>
  kinds[i] === VALUE ? NATIVE_COIN : logs[i]! + LOG.address;

const TOPIC_ADDRESS = 12; // a word has it in its last 20 bytes

function fromAt({ frames, logs, kinds }: Tile, i: number): number {
  if (kinds[i] === VALUE) return frames[i]! + OFFSET.from;
  return kinds[i] === DEPOSIT ? NOBODY : logs[i]! + LOG.topics + 32 + TOPIC_ADDRESS;
}

/** The value of a transaction that creates a contract goes to that. */
function toAt({ frames, words, logs, kinds }: Tile, i: number): number {
  const frame = frames[i]!;
  switch (kinds[i]) {
    case VALUE:
      return frame + (words[(frame + OFFSET.present) >> 2]! & PRESENT.to ? OFFSET.to : OFFSET.contractAddress);
    case WITHDRAWAL:
      return NOBODY;
    default:
      return logs[i]! + LOG.topics + 32 * (kinds[i] === DEPOSIT ? 1 : 2) + TOPIC_ADDRESS;
  }
}

function addresses(out: BlockWriter, rows: Tile, placeOf: (rows: Tile, i: number) => number): void {
  const { count, words } = rows;
  const found = new Uint32Array(5 * count);
  for (let i = 0; i < count; i++) {
    const at = placeOf(rows, i);
    if (at === NATIVE_COIN) found.set(NATIVE_WORDS, 5 * i);
    else if (at >= 0) for (let j = 0; j < 5; j++) found[5 * i + j] = words[(at >> 2) + j]!;
  }
  words32(out, found);
}

/** Little-endian: as a frame has a value; the word of a log is the other way round. */
function amounts(out: BlockWriter, { count, words, frames, logs, kinds }: Tile): void {
  const found = new Uint32Array(8 * count);
  for (let i = 0; i < count; i++) {
    if (kinds[i] === VALUE) {
      const at = (frames[i]! + OFFSET.value) >> 2;
      for (let j = 0; j < 8; j++) found[8 * i + j] = words[at + j]!;
    } else {
      const topics = kinds[i] === ERC20 ? 3 : 2;
      const last = ((logs[i]! + LOG.topics + 32 * topics) >> 2) + 7;
      for (let j = 0; j < 8; j++) found[8 * i + j] = swapped(words[last - j]!);
    }
  }
  words32(out, found);
}

/** The bytes of a word in the opposite order. */
const swapped = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);

function words32(out: BlockWriter, array: Uint32Array | Int32Array): void {
  const { byteLength } = array;
  reserve(out, byteLength);
  out.bytes.set(new Uint8Array(array.buffer), out.at);
  out.at += byteLength;
}
