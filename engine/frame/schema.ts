/**
 * Frame v1: one transaction in memory. The single description from which the TypeScript reader and writer, the
 * AssemblyScript accessors (rules-as/assembly/frame.ts, by `npm run frame:generate`) and the docs are made.
 *
 *     ┌──────────────┬─────────┬──────────────┬────────┬─────────┐
 *     │ header 416 B │ input   │ access list  │ logs   │ extra   │   every part padded with zeros to 8 bytes
 *     └──────────────┴─────────┴──────────────┴────────┴─────────┘
 *     access list entry: u32 size │ u32 keyCount │ address 20 │ 0 u32 │ keyCount × key 32
 *     log:               u32 size │ u32 dataLength │ u32 logIndex │ u32 topicCount │ address 20 │ 0 u32 │ topics × 32 │ data, padded to 8
 *     extra:             the record's members that have no field here, as received, joined by commas: `"v":"0x1","receipt.root":"0x…"`
 *
 * Little-endian throughout, every field at its natural alignment (u128 and u256 at 8). A batch is frames back to back,
 * each starting at a multiple of 8. Absent and null are one thing: the field's bit in `present` is 0 and its bytes are 0.
 * v1 never changes: a module built for it runs on every later engine. What comes later gets a new version.
 */
export const FRAME_VERSION = 1;

/** Widths in bytes. u128 for wei per gas: 2^64 wei is 18 ether a gas unit, which a pending transaction may well offer. */
export const FIELD_WIDTH = { u8: 1, u16: 2, u32: 4, u64: 8, u128: 16, u256: 32, bytes20: 20, bytes32: 32 } as const;
export type FieldType = keyof typeof FIELD_WIDTH;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
  /** Where the value stands in the record's JSON; fields of the frame itself have none. */
  readonly json?: string;
  /** Refused when missing or null. */
  readonly required?: true;
}

/** In memory order. Offsets follow from the widths; `layout()` checks that nothing is misaligned. */
export const FIELDS = [
  { name: "version", type: "u16", doc: "1" },
  { name: "headerSize", type: "u16", doc: "416: where the input begins" },
  { name: "size", type: "u32", doc: "whole frame in bytes, a multiple of 8" },
  { name: "inputLength", type: "u32", doc: "bytes of input" },
  { name: "accessListLength", type: "u32", doc: "bytes of the access list part" },
  { name: "logsLength", type: "u32", doc: "bytes of the logs part" },
  { name: "extraLength", type: "u32", doc: "bytes of extra, without padding" },
  { name: "accessListCount", type: "u32", doc: "entries of the access list" },
  { name: "logCount", type: "u32", doc: "logs of the receipt" },
  { name: "present", type: "u32", doc: "one bit for each optional field: see PRESENT" },
  { name: "transactionIndex", type: "u32", json: "transactionIndex", doc: "position in the block" },
  { name: "blockTransactionCount", type: "u32", json: "block.transactionCount", doc: "transactions of the block" },
  { name: "type", type: "u8", json: "type", doc: "EIP-2718 type, 0 for legacy" },
  { name: "status", type: "u8", json: "receipt.status", doc: "1 succeeded, 0 reverted" },
  { name: "reserved", type: "u16", doc: "0" },
  { name: "chainId", type: "u64", json: "chainId", required: true, doc: "EIP-155 chain, up to 2^53 − 1" },
  { name: "seenAt", type: "u64", json: "seenAt", doc: "first seen pending, µs since 1970 (JSON: ms)" },
  { name: "nonce", type: "u64", json: "nonce", required: true, doc: "sender's nonce" },
  { name: "gas", type: "u64", json: "gas", required: true, doc: "gas limit" },
  { name: "gasUsed", type: "u64", json: "receipt.gasUsed", doc: "gas used" },
  { name: "cumulativeGasUsed", type: "u64", json: "receipt.cumulativeGasUsed", doc: "gas used in the block so far" },
  { name: "blockNumber", type: "u64", json: "blockNumber", doc: "height, up to 2^53 − 1" },
  { name: "blockTimestamp", type: "u64", json: "block.timestamp", doc: "seconds since 1970" },
  { name: "blockGasUsed", type: "u64", json: "block.gasUsed", doc: "gas used by the block" },
  { name: "blockGasLimit", type: "u64", json: "block.gasLimit", doc: "gas limit of the block" },
  { name: "gasPrice", type: "u128", json: "gasPrice", doc: "wei per gas" },
  { name: "maxFeePerGas", type: "u128", json: "maxFeePerGas", doc: "wei per gas (EIP-1559)" },
  { name: "maxPriorityFeePerGas", type: "u128", json: "maxPriorityFeePerGas", doc: "wei per gas (EIP-1559)" },
  { name: "effectiveGasPrice", type: "u128", json: "receipt.effectiveGasPrice", doc: "wei per gas paid" },
  { name: "baseFeePerGas", type: "u128", json: "block.baseFeePerGas", doc: "wei per gas burned" },
  { name: "value", type: "u256", json: "value", required: true, doc: "wei" },
  { name: "hash", type: "bytes32", json: "hash", required: true, doc: "transaction hash" },
  { name: "blockHash", type: "bytes32", json: "blockHash", doc: "block hash" },
  { name: "blockParentHash", type: "bytes32", json: "block.parentHash", doc: "parent block's hash" },
  { name: "from", type: "bytes20", json: "from", required: true, doc: "sender" },
  { name: "to", type: "bytes20", json: "to", doc: "recipient; absent for a contract creation" },
  { name: "miner", type: "bytes20", json: "block.miner", doc: "the block's fee recipient" },
  { name: "contractAddress", type: "bytes20", json: "receipt.contractAddress", doc: "the contract created" },
] as const satisfies readonly Field[];

export type FieldName = (typeof FIELDS)[number]["name"];

/** Bits of `present`, lowest first: the optional fields in this order, then the parts that a record may or may not have. */
export const OPTIONAL = [
  "to", "type", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "seenAt",
  "blockNumber", "blockHash", "transactionIndex",
  "block", "blockParentHash", "blockTimestamp", "miner", "blockGasUsed", "blockGasLimit", "baseFeePerGas", "blockTransactionCount",
  "receipt", "status", "gasUsed", "cumulativeGasUsed", "effectiveGasPrice", "contractAddress", "logs", "accessList",
] as const; // biome-ignore format: grouped as the record is

export type Optional = (typeof OPTIONAL)[number];

/** present bit of each optional field or part */
export const PRESENT = Object.fromEntries(OPTIONAL.map((name, bit) => [name, 2 ** bit])) as Record<Optional, number>;

/** byte offset of each header field */
export const OFFSET = layout();
export const HEADER_SIZE = 416;

/** log and access list entry: offsets within the entry */
export const LOG = { size: 0, dataLength: 4, logIndex: 8, topicCount: 12, address: 16, topics: 40 } as const;
export const ACCESS = { size: 0, keyCount: 4, address: 8, keys: 32 } as const;

/** Limits of one transaction; a record over one is a dead letter that names it. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024; // the largest real one in our data is 3.8 MB
export const MAX_TOPICS = 4;

function layout(): Record<FieldName, number> {
  const offsets: Partial<Record<FieldName, number>> = {};
  let at = 0;
  for (const { name, type } of FIELDS) {
    const width = FIELD_WIDTH[type];
    const alignment = type.startsWith("bytes") ? 4 : Math.min(width, 8);
    if (at % alignment !== 0)
      throw new Error(`Cannot lay out frame field "${name}": offset ${at} is not a multiple of ${alignment}`);
    offsets[name] = at;
    at += width;
  }
  return offsets as Record<FieldName, number>;
}
