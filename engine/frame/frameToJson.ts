import { EXTRA_PREFIXES, splitExtra } from "./extra.ts";

import {
  accessKeyAt,
  accessKeyCount,
  accessListAt,
  accessListCount,
  extraText,
  type FrameBytes,
  has,
  hexAt,
  inputAt,
  inputLength,
  logCount,
  logDataAt,
  logDataLength,
  logIndex,
  logsAt,
  logTopicAt,
  logTopicCount,
  nextEntry,
  quantityAt,
  u64AsNumber,
} from "./readFrame.ts";
import { ACCESS, FIELD_WIDTH, FIELDS, type FieldName, LOG, OFFSET, type Optional, PRESENT } from "./schema.ts";
import type { TransactionRecord } from "./writeFrame.ts";

/**
 * The record's JSON of a frame: one line, the same bytes for the same frame, and decodeJson makes the same frame of it.
 * Absent fields are left out, but for `to`: null, by which a contract creation is known. Members of `extra` are back in
 * their places, behind the known ones.
 */
export function frameToJson(frames: FrameBytes, frame: number): string {
  const extra = extraMembers(extraText(frames, frame));
  const members = [
    ...fields(frames, frame, TRANSACTION_FIELDS),
    `"input":"${hexAt(frames, inputAt(frames, frame), inputLength(frames, frame))}"`,
  ];
  if (has(frames, frame, PRESENT.accessList)) members.push(`"accessList":[${accessList(frames, frame).join()}]`);
  members.push(...fields(frames, frame, POSITION_FIELDS), ...extra[0]!);
  if (has(frames, frame, PRESENT.block)) {
    members.push(`"block":{${[...fields(frames, frame, BLOCK_FIELDS), ...extra[1]!].join()}}`);
  }
  if (has(frames, frame, PRESENT.receipt)) {
    const receipt = fields(frames, frame, RECEIPT_FIELDS);
    if (has(frames, frame, PRESENT.logs)) receipt.push(`"logs":[${logs(frames, frame).join()}]`);
    members.push(`"receipt":{${[...receipt, ...extra[2]!].join()}}`);
  }
  return `{${members.join()}}`;
}

/** The same as an object. Members of extra are in it too, known to its type or not. */
export function frameToObject(frames: FrameBytes, frame: number): TransactionRecord {
  return JSON.parse(frameToJson(frames, frame));
}

type Names = readonly (readonly [json: string, field: FieldName])[];
const TRANSACTION_FIELDS: Names = [
  ["chainId", "chainId"], ["hash", "hash"], ["from", "from"], ["to", "to"], ["nonce", "nonce"], ["value", "value"],
  ["gas", "gas"], ["gasPrice", "gasPrice"], ["maxFeePerGas", "maxFeePerGas"],
  ["maxPriorityFeePerGas", "maxPriorityFeePerGas"], ["type", "type"],
]; // biome-ignore format: in the recordings' order
const POSITION_FIELDS: Names = [
  ["blockNumber", "blockNumber"],
  ["blockHash", "blockHash"],
  ["transactionIndex", "transactionIndex"],
  ["seenAt", "seenAt"],
];
const BLOCK_FIELDS: Names = [
  ["number", "blockNumber"],
  ["hash", "blockHash"],
  ["parentHash", "blockParentHash"],
  ["timestamp", "blockTimestamp"],
  ["miner", "miner"],
  ["gasUsed", "blockGasUsed"],
  ["gasLimit", "blockGasLimit"],
  ["baseFeePerGas", "baseFeePerGas"],
  ["transactionCount", "blockTransactionCount"],
];
const RECEIPT_FIELDS: Names = [
  ["status", "status"],
  ["gasUsed", "gasUsed"],
  ["cumulativeGasUsed", "cumulativeGasUsed"],
  ["effectiveGasPrice", "effectiveGasPrice"],
  ["contractAddress", "contractAddress"],
];
const TYPES = new Map(FIELDS.map(({ name, type }) => [name, type]));

function fields(frames: FrameBytes, frame: number, names: Names): string[] {
  const members: string[] = [];
  for (const [json, field] of names) {
    const bit = PRESENT[field as Optional];
    const absent = bit !== undefined && !has(frames, frame, bit);
    if (absent && field === "to") members.push('"to":null');
    else if (!absent) members.push(`"${json}":${fieldValue(frames, frame, field)}`);
  }
  return members;
}

function fieldValue(frames: FrameBytes, frame: number, field: FieldName): string {
  const at = frame + OFFSET[field];
  if (field === "chainId") return String(u64AsNumber(frames, at));
  if (field === "blockTransactionCount") return String(frames.u32[at >> 2]);
  if (field === "seenAt") return milliseconds(u64AsNumber(frames, at));
  const type = TYPES.get(field)!;
  const width = FIELD_WIDTH[type];
  return `"${type.startsWith("bytes") ? hexAt(frames, at, width) : quantityAt(frames, at, width)}"`;
}

/** Exact, where a division would round: 1763700000000123 µs is 1763700000000.123 ms. */
function milliseconds(micros: number): string {
  const rest = String(micros % 1000)
    .padStart(3, "0")
    .replace(/0+$/, "");
  return `${Math.floor(micros / 1000)}${rest && `.${rest}`}`;
}

function logs(frames: FrameBytes, frame: number): string[] {
  const all: string[] = [];
  for (let i = logCount(frames, frame), log = logsAt(frames, frame); i > 0; i--, log = nextEntry(frames, log)) {
    const address = hexAt(frames, log + LOG.address, 20);
    const topics = hashes(frames, logTopicAt(log, 0), logTopicCount(frames, log));
    const data = hexAt(frames, logDataAt(frames, log), logDataLength(frames, log));
    const index = logIndex(frames, log).toString(16);
    all.push(`{"address":"${address}","topics":[${topics}],"data":"${data}","logIndex":"0x${index}"}`);
  }
  return all;
}

function accessList(frames: FrameBytes, frame: number): string[] {
  const all: string[] = [];
  let entry = accessListAt(frames, frame);
  for (let i = accessListCount(frames, frame); i > 0; i--, entry = nextEntry(frames, entry)) {
    const keys = hashes(frames, accessKeyAt(entry, 0), accessKeyCount(frames, entry));
    all.push(`{"address":"${hexAt(frames, entry + ACCESS.address, 20)}","storageKeys":[${keys}]}`);
  }
  return all;
}

function hashes(frames: FrameBytes, at: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `"${hexAt(frames, at + 32 * i, 32)}"`).join();
}

/** Extra's members by place: transaction, block, receipt; the latter two without their prefix. */
function extraMembers(extra: string): string[][] {
  const places: string[][] = [[], [], []];
  for (const member of splitExtra(extra)) {
    const place = EXTRA_PREFIXES.findLastIndex((prefix) => member.startsWith(`"${prefix}`));
    places[place]!.push(`"${member.slice(1 + EXTRA_PREFIXES[place]!.length)}`);
  }
  return places;
}
