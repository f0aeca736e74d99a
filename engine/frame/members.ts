import { ACCESS, FIELD_WIDTH, FIELDS, type Field, LOG, OFFSET, PRESENT } from "./schema.ts";

/**
 * Members of the record's objects: where each goes in the frame. Made from the schema; the parts, the block's repeated
 * members and those of logs and access list entries are added here.
 */
export const LEVELS = ["", "block.", "receipt.", "log.", "access."] as const;
export const [TRANSACTION, BLOCK, RECEIPT, LOG_ENTRY, ACCESS_ENTRY] = [0, 1, 2, 3, 4];

export const KINDS = [
  "quantity", // hex
  "safe", // hex, at most 2^53 − 1
  "number", // JSON number or hex, at most 2^53 − 1 and what its width holds
  "seenAt", // JSON number with three decimals or hex, milliseconds; the frame has µs
  "bytes", // hex, exactly so many
  "input",
  "data", // kept as an unknown member, and taken for the input if there is none
  "block",
  "receipt",
  "logs",
  "accessList",
  "topics",
  "logData",
  "storageKeys",
  "ignored", // repeats what the transaction says: checked as JSON and dropped
] as const;
export type Kind = (typeof KINDS)[number];

export interface Member {
  readonly level: number;
  readonly name: string;
  readonly kind: Kind;
  /** In the frame, or in the log or access list entry. */
  readonly offset: number;
  readonly width: number;
  /** Bit of `present`, 0 for what is required. */
  readonly bit: number;
}

const BITS: Readonly<Record<string, number>> = PRESENT;
const SPECIAL: Readonly<Record<string, Kind>> = {
  chainId: "number",
  seenAt: "seenAt",
  blockNumber: "safe",
  blockTransactionCount: "number",
};

function fieldMember(field: Field & { readonly name: keyof typeof OFFSET }): Member[] {
  if (!field.json) return [];
  const [name, parent] = field.json.split(".").reverse();
  const level = parent === "block" ? BLOCK : parent === "receipt" ? RECEIPT : TRANSACTION;
  const kind = SPECIAL[field.name] ?? (field.type.startsWith("bytes") ? "bytes" : "quantity");
  const member = { name: name!, kind, offset: OFFSET[field.name], width: FIELD_WIDTH[field.type] };
  return [{ ...member, level: level!, bit: BITS[field.name] ?? 0 }];
}

function part(level: number, name: string, kind: Kind, bit = 0, offset = 0, width = 0): Member {
  return { level, name, kind, offset, width, bit };
}

/** Grouped by level. At most 31 a level: each has a bit in a mask. */
export const MEMBERS: readonly Member[] = [
  ...FIELDS.flatMap(fieldMember),
  part(TRANSACTION, "input", "input"),
  part(TRANSACTION, "data", "data"),
  part(TRANSACTION, "accessList", "accessList", PRESENT.accessList),
  part(TRANSACTION, "block", "block", PRESENT.block),
  part(TRANSACTION, "receipt", "receipt", PRESENT.receipt),
  // The transaction says these too: one place in the frame, and both must agree.
  part(BLOCK, "number", "safe", PRESENT.blockNumber, OFFSET.blockNumber, 8),
  part(BLOCK, "hash", "bytes", PRESENT.blockHash, OFFSET.blockHash, 32),
  part(RECEIPT, "logs", "logs", PRESENT.logs),
  part(LOG_ENTRY, "address", "bytes", 0, LOG.address, 20),
  part(LOG_ENTRY, "topics", "topics"),
  part(LOG_ENTRY, "data", "logData"),
  part(LOG_ENTRY, "logIndex", "quantity", 0, LOG.logIndex, 4),
  ...["blockHash", "blockNumber", "blockTimestamp", "transactionHash", "transactionIndex", "removed"].map((name) =>
    part(LOG_ENTRY, name, "ignored"),
  ),
  part(ACCESS_ENTRY, "address", "bytes", 0, ACCESS.address, 20),
  part(ACCESS_ENTRY, "storageKeys", "storageKeys"),
].sort((a, b) => a.level - b.level);

/** Index of the first member of each level in MEMBERS, and behind the last. */
export const FIRST = LEVELS.map((_, level) => MEMBERS.findIndex((member) => member.level >= level)).concat(
  MEMBERS.length,
);

/** Bit of a member in the masks of its level. */
export function memberBit(level: number, name: string): number {
  const index = MEMBERS.findIndex((member) => member.level === level && member.name === name);
  if (index < 0)
    throw new Error(
      `Cannot find member "${LEVELS[level]}${name}": it is not in the table, expected a name of the record format`,
    );
  return 1 << (index - FIRST[level]!);
}
