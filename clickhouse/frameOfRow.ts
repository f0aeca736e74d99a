/**
 * A frame from its row: the proof that a row loses nothing, and the way back from stored transactions into rules (backtests).
 * The row's columns become the record's JSON, and the decoder makes the frame of it that it made of the record.
 */
import { decodeJson } from "../engine/frame/decodeJson.ts";
import { lastError } from "../engine/frame/describeError.ts";
import { splitExtra } from "../engine/frame/extra.ts";
import type { FrameWriter } from "../engine/frame/frameWriter.ts";
import { type Optional, PRESENT } from "../engine/frame/schema.ts";

/** What FRAME_COLUMNS selects: numbers as decimal strings, bytes as hex without 0x. */
export interface FrameRow {
  readonly chain_id: string;
  readonly hash: string;
  readonly from_address: string;
  readonly to_address: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly gas: string;
  readonly gas_price: string | null;
  readonly max_fee_per_gas: string | null;
  readonly max_priority_fee_per_gas: string | null;
  readonly type: string | null;
  readonly input: string;
  /** µs */
  readonly seen_at: string | null;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly transaction_index: string | null;
  readonly block_parent_hash: string | null;
  readonly block_timestamp: string | null;
  readonly block_miner: string | null;
  readonly block_gas_used: string | null;
  readonly block_gas_limit: string | null;
  readonly base_fee_per_gas: string | null;
  readonly block_transaction_count: string | null;
  readonly status: string | null;
  readonly gas_used: string | null;
  readonly cumulative_gas_used: string | null;
  readonly effective_gas_price: string | null;
  readonly contract_address: string | null;
  readonly log_index: readonly string[];
  readonly log_address: readonly string[];
  readonly log_topics: readonly (readonly string[])[];
  readonly log_data: readonly string[];
  readonly access_address: readonly string[];
  readonly access_keys: readonly (readonly string[])[];
  readonly extra: string;
  readonly present: string;
}

/** A stored transaction: what its frame is made of, its place in its partition, and its times. STORED_COLUMNS selects it. */
export interface StoredRow extends FrameRow {
  readonly offset: string;
  readonly n: number;
  readonly record_ms: string;
  readonly event_us: string;
}

const BYTES = [
  "hash",
  "from_address",
  "to_address",
  "input",
  "block_hash",
  "block_parent_hash",
  "block_miner",
  "contract_address",
] as const;
const NUMBERS = [
  "chain_id",
  "nonce",
  "value",
  "gas",
  "gas_price",
  "max_fee_per_gas",
  "max_priority_fee_per_gas",
  "type",
  "block_number",
  "transaction_index",
  "block_gas_used",
  "block_gas_limit",
  "base_fee_per_gas",
  "block_transaction_count",
  "status",
  "gas_used",
  "cumulative_gas_used",
  "effective_gas_price",
  "present",
] as const;
const hexOf = (column: string): string => `lower(hex(${column}))`;

/** The columns of a SELECT over `transactions` whose rows are FrameRow. */
export const FRAME_COLUMNS = [
  ...BYTES.map((name) => `${hexOf(`t.${name}`)} AS ${name}`),
  ...NUMBERS.map((name) => `toString(t.${name}) AS ${name}`),
  "toString(toUnixTimestamp64Micro(t.seen_at)) AS seen_at",
  "toString(toUInt64(toUnixTimestamp64Second(t.block_timestamp))) AS block_timestamp", // unsigned, as the frame has it
  "arrayMap(x -> toString(x), t.log_index) AS log_index",
  ...["log_address", "log_data", "access_address"].map((name) => `arrayMap(x -> ${hexOf("x")}, t.${name}) AS ${name}`),
  ...["log_topics", "access_keys"].map(
    (name) => `arrayMap(list -> arrayMap(x -> ${hexOf("x")}, list), t.${name}) AS ${name}`,
  ),
  "t.extra AS extra",
].join(", ");

/** Of StoredRow, over `t`. */
export const STORED_COLUMNS = [
  FRAME_COLUMNS,
  "toString(t.offset) AS offset",
  "t.n AS n",
  "toString(toUnixTimestamp64Milli(t.record_time)) AS record_ms",
  "toString(toUnixTimestamp64Micro(t.event_time)) AS event_us",
].join(", ");

/** Appends the frame of a row to the writer. @throws when the row is none that the engine wrote */
export function frameOfRow(writer: FrameWriter, row: FrameRow): void {
  const json = Buffer.from(recordOfRow(row));
  if (decodeJson(json, 0, json.length, writer, 0) !== 0)
    throw new Error(`Cannot rebuild the frame of "0x${row.hash}": ${lastError().message}`);
}

/** The record as JSON, with everything that it had; members in our order, spaces gone. */
export function recordOfRow(row: FrameRow): string {
  const present = Number(row.present);
  const has = (part: Optional): boolean => (present & PRESENT[part]) !== 0;
  const extra = extraByLevel(row.extra);
  const block = has("block") && [
    ...members({ parentHash: bytes(row.block_parent_hash), timestamp: quantity(row.block_timestamp) }),
    ...members({ miner: bytes(row.block_miner), gasUsed: quantity(row.block_gas_used) }),
    ...members({ gasLimit: quantity(row.block_gas_limit), baseFeePerGas: quantity(row.base_fee_per_gas) }),
    ...members({ transactionCount: row.block_transaction_count }),
    ...extra.block,
  ];
  const receipt = has("receipt") && [
    ...members({ status: quantity(row.status), gasUsed: quantity(row.gas_used) }),
    ...members({ cumulativeGasUsed: quantity(row.cumulative_gas_used) }),
    ...members({ effectiveGasPrice: quantity(row.effective_gas_price), contractAddress: bytes(row.contract_address) }),
    ...members({ logs: has("logs") ? list(row.log_index.map((_, i) => log(row, i))) : null }),
    ...extra.receipt,
  ];
  return object([
    ...members({ chainId: row.chain_id, hash: bytes(row.hash), from: bytes(row.from_address) }),
    ...members({ to: bytes(row.to_address), nonce: quantity(row.nonce), value: quantity(row.value) }),
    ...members({ gas: quantity(row.gas), gasPrice: quantity(row.gas_price), type: quantity(row.type) }),
    ...members({ maxFeePerGas: quantity(row.max_fee_per_gas) }),
    ...members({ maxPriorityFeePerGas: quantity(row.max_priority_fee_per_gas), input: bytes(row.input) }),
    ...members({ accessList: has("accessList") ? list(row.access_address.map((_, i) => access(row, i))) : null }),
    ...members({ blockNumber: quantity(row.block_number), blockHash: bytes(row.block_hash) }),
    ...members({ transactionIndex: quantity(row.transaction_index), seenAt: milliseconds(row.seen_at) }),
    ...extra.transaction,
    ...members({ block: block ? object(block) : null, receipt: receipt ? object(receipt) : null }),
  ]);
}

const log = (row: FrameRow, i: number): string =>
  object(
    members({
      address: bytes(row.log_address[i]!),
      topics: list(row.log_topics[i]!.map((topic) => bytes(topic)!)),
      data: bytes(row.log_data[i]!),
      logIndex: quantity(row.log_index[i]!),
    }),
  );

const access = (row: FrameRow, i: number): string =>
  object(
    members({
      address: bytes(row.access_address[i]!),
      storageKeys: list(row.access_keys[i]!.map((key) => bytes(key)!)),
    }),
  );

/** Members that are there, as `"name":value`. */
const members = (values: Readonly<Record<string, string | null>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [`"${name}":${value}`]));

const object = (all: readonly string[]): string => `{${all.join()}}`;
const list = (all: readonly string[]): string => `[${all.join()}]`;
const bytes = (hex: string | null): string | null => (hex === null ? null : `"0x${hex}"`);
const quantity = (decimal: string | null): string | null =>
  decimal === null ? null : `"0x${BigInt(decimal).toString(16)}"`;

/** 1763700000000123 µs are 1763700000000.123 ms; as text, since a division would round. */
function milliseconds(micros: string | null): string | null {
  if (micros === null) return null;
  const padded = micros.padStart(4, "0");
  return `${padded.slice(0, -3)}.${padded.slice(-3)}`;
}

/** `"v":"0x1","block.size":"0x5"` are members of the transaction, its block and its receipt. */
function extraByLevel(extra: string) {
  const levels = { transaction: [] as string[], block: [] as string[], receipt: [] as string[] };
  for (const member of splitExtra(extra)) {
    if (member.startsWith('"block.')) levels.block.push(`"${member.slice('"block.'.length)}`);
    else if (member.startsWith('"receipt.')) levels.receipt.push(`"${member.slice('"receipt.'.length)}`);
    else levels.transaction.push(member);
  }
  return levels;
}
