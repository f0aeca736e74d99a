/**
 * The fields that a condition may name: those of a transaction, its receipt and its block, as JSON-RPC calls them (snake_case
 * is accepted, too), and a few that are read off them. What is not in a frame has no value: every comparison with it is false.
 */
import {
  ENTRIES,
  FACT_FLAG,
  FACT_WIDTH,
  FACTS,
  type FactFlag,
  type PlacedField,
  SECTION_NAMES,
  type SectionName,
} from "../chain/facts/schema.ts";
import { FIELD_WIDTH, FIELDS, type FieldName, HEADER_SIZE, LOG, OFFSET, PRESENT } from "../frame/schema.ts";

interface FieldBase {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly doc: string;
  /** Bit of `present` that says it is there; 0: it always is. */
  readonly present: number;
}

/** A whole number, unsigned, up to 256 bits. */
export interface IntegerField extends FieldBase {
  readonly kind: "integer";
  /** Where it stands, in words of the frame, and how many words it takes. */
  readonly word: number;
  readonly width: number;
  /** Of the word's bits, for what is smaller than a word. */
  readonly shift: number;
  readonly mask: number;
  /** The frame's value for 1 of the condition's: 1,000 for a time that the record has in ms and the frame in µs. */
  readonly scale: number;
}

/** Whether a bit of `present` is as said. */
export interface BooleanField extends FieldBase {
  readonly kind: "boolean";
  readonly bit: number;
  readonly when: boolean;
}

/** Bytes of a fixed number at a fixed place. */
export interface BytesField extends FieldBase {
  readonly kind: "bytes";
  readonly word: number;
  readonly bytes: number;
  /** Input bytes that must be there. */
  readonly inputBytes: number;
}

/** The call data. */
export interface InputField extends FieldBase {
  readonly kind: "input";
}

/** Bytes that each log has: a comparison holds when it does for any log. */
export interface LogField extends FieldBase {
  readonly kind: "log";
  /** Within a log, in words. */
  readonly word: number;
  readonly bytes: number;
  /** Topics that the log must have. */
  readonly topics: number;
}

/** Of each entry of a section of the facts, each swap of the transaction for one: a comparison holds when it does for any. */
interface OfEntries {
  readonly section: SectionName;
  /** Within an entry, in words. */
  readonly word: number;
  /** Bit of the entry's `present` that says it is there; 0: it always is. */
  readonly bit: number;
}

/** Bytes that each entry has. */
export interface FactField extends FieldBase, OfEntries {
  readonly kind: "fact";
  readonly bytes: number;
}

/** A name that each entry has. */
export interface FactNameField extends FieldBase, OfEntries {
  readonly kind: "factName";
  readonly bytes: number;
  /** The only ones that it can be. */
  readonly choices?: readonly string[];
}

/** A number that each entry has. */
export interface FactNumberField extends FieldBase, OfEntries {
  readonly kind: "factNumber";
  /** In words. */
  readonly width: number;
}

/** A number of the facts themselves; 0 where nothing was found. */
export interface FactCountField extends FieldBase {
  readonly kind: "factCount";
  /** Within the facts header, in words. */
  readonly word: number;
}

/** Whether something of the kind was found. */
export interface FactFlagField extends FieldBase {
  readonly kind: "factFlag";
  readonly flag: number;
}

/** How long the transaction was seen pending before its block, in ms. */
export interface ElapsedField extends FieldBase {
  readonly kind: "elapsed";
}

export type RuleField =
  | IntegerField
  | BooleanField
  | BytesField
  | InputField
  | LogField
  | ElapsedField
  | FactField
  | FactNameField
  | FactNumberField
  | FactCountField
  | FactFlagField;

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const OTHER_NAMES: Partial<Record<FieldName, readonly string[]>> = {
  from: ["from_address"],
  to: ["to_address"],
  gas: ["gasLimit", "gas_limit"],
  hash: ["tx_hash", "transactionHash"],
  blockTimestamp: ["timestamp"],
  miner: ["coinbase"],
};
const presentBit = (name: string): number => (PRESENT as Readonly<Record<string, number>>)[name] ?? 0;

function frameField({ name, type, doc }: (typeof FIELDS)[number]): RuleField {
  const base = { name, doc, present: presentBit(name), aliases: [snake(name), ...(OTHER_NAMES[name] ?? [])] };
  const offset = OFFSET[name];
  const width = FIELD_WIDTH[type];
  if (type === "bytes20" || type === "bytes32")
    return { ...base, kind: "bytes", word: offset >> 2, bytes: width, inputBytes: 0 };
  return {
    ...base,
    kind: "integer",
    word: offset >> 2,
    width: Math.max(1, width >> 2),
    shift: (offset & 3) * 8,
    mask: width === 1 ? 0xff : 0xffff_ffff,
    scale: name === "seenAt" ? 1_000 : 1,
    ...(name === "seenAt" ? { doc: "first seen pending, ms since 1970" } : {}),
  };
}

const size = (name: string, of: "inputLength" | "logCount", doc: string, present = 0): IntegerField => ({
  ...{ name, doc, present, aliases: [snake(name)], kind: "integer" },
  ...{ word: OFFSET[of] >> 2, width: 1, shift: 0, mask: 0xffff_ffff, scale: 1 },
});
const flag = (
  name: string,
  bit: number,
  when: boolean,
  doc: string,
  aliases: readonly string[] = [],
): BooleanField => ({
  ...{ name, doc, bit, when, present: 0, aliases, kind: "boolean" },
});
const ofLogs = (name: string, at: number, bytes: number, topics: number, doc: string): LogField => ({
  ...{ name, doc, bytes, topics, present: 0, aliases: [snake(name)], kind: "log", word: at >> 2 },
});
const topic = (i: number, doc: string): LogField => ofLogs(`topic${i}`, LOG.topics + 32 * i, 32, i + 1, doc);

/** `present` of what may be absent and has no bit of its own. */
const MAYBE = PRESENT.block;

function entryField(section: SectionName, { name: own, type, doc, offset, bit, choices }: PlacedField): RuleField {
  const name = `${section}.${own}`;
  const place = { name, aliases: [snake(name)], doc, present: MAYBE, section, word: offset >> 2, bit };
  if (type === "u32" || type === "u256") return { ...place, kind: "factNumber", width: FACT_WIDTH[type] >> 2 };
  const bytes = FACT_WIDTH[type];
  if (type === "bytes20" || type === "bytes32") return { ...place, kind: "fact", bytes };
  return { ...place, kind: "factName", bytes, ...(choices && { choices }) };
}

const found = (name: string, of: FactFlag, doc: string): FactFlagField => ({
  ...{ name, doc, flag: FACT_FLAG[of], present: 0, aliases: [snake(name)], kind: "factFlag" },
});
const factCount = (name: "swapCount" | "risk", doc: string): FactCountField => ({
  ...{ name, doc, aliases: [snake(name)], kind: "factCount", word: FACTS[name] >> 2, present: 0 },
});

/** Every field, by its first name. Those of the record come first, in the frame's order. */
export const RULE_FIELDS: readonly RuleField[] = [
  ...FIELDS.filter((field) => "json" in field).map(frameField),
  { name: "input", aliases: ["data"], doc: "call data", present: 0, kind: "input" },
  {
    ...{ name: "selector", aliases: ["methodId", "method_id"], doc: "first 4 bytes of the call data", present: 0 },
    ...{ kind: "bytes", word: HEADER_SIZE >> 2, bytes: 4, inputBytes: 4 },
  },
  size("inputLength", "inputLength", "bytes of call data"),
  size("logCount", "logCount", "logs of the receipt", PRESENT.logs),
  flag("pending", PRESENT.blockNumber, false, "not in a block yet"),
  flag("created", PRESENT.to, false, "creates a contract", ["creation", "isCreation", "is_creation"]),
  topic(0, "event of any log"),
  topic(1, "first indexed argument of any log"),
  topic(2, "second indexed argument of any log"),
  topic(3, "third indexed argument of any log"),
  ofLogs("logAddress", LOG.address, 20, 0, "contract of any log"),
  {
    ...{ name: "seenPendingFor", aliases: ["seen_pending_for"], present: MAYBE, kind: "elapsed" },
    doc: "ms from when it was seen pending to its block's timestamp, at least 0; absent if it was not seen or is not mined",
  },
  factCount("risk", "risk score, 0 to 100"),
  factCount("swapCount", "swaps"),
  found("isArbitrage", "arbitrage", "made an arbitrage: a closed route of swaps"),
  found("isRouterArbitrage", "routerArbitrage", "two swaps or more by a known router's method, arbitrage or not"),
  found("isSandwich", "sandwich", "has a part in a sandwich, as its victim, too"),
  found("isLiquidation", "liquidation", "liquidated somebody"),
  found("isJit", "jit", "has a part in JIT liquidity, as a swap that it served, too"),
  found("isFailedAttempt", "failedAttempt", "a reverted transaction of somebody who searches"),
  ...SECTION_NAMES.flatMap((name) => ENTRIES[name].fields.map((field) => entryField(name, field))),
];

const BY_NAME = new Map(RULE_FIELDS.flatMap((field) => [field.name, ...field.aliases].map((name) => [name, field])));

/** The field of this name, or of this other name. */
export const ruleField = (name: string): RuleField | undefined => BY_NAME.get(name);

/** Is it read off what was found, not off the record? */
export const isFact = ({ kind }: RuleField): boolean => kind.startsWith("fact");

/** A name as it stands in facts, in hex: of the only ones that it can be its number, else its text. */
export function encodeName({ bytes, choices }: FactNameField, name: string): string {
  const encoded = Buffer.alloc(bytes);
  if (choices) encoded.writeUInt32LE(choices.indexOf(name) + 1);
  else encoded.write(name);
  return `0x${encoded.toString("hex")}`;
}

/** Every name that is accepted, for suggestions. */
export const FIELD_NAMES: readonly string[] = [...BY_NAME.keys()];
