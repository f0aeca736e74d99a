/**
 * Facts v1: what was found of one transaction, as rules read it. The single description from which the writer, the conditions' fields
 * and the AssemblyScript accessors (rules-as/assembly/factLayout.ts, by `npm run frame:generate`) are made.
 *
 * A transaction of which something was found is shown to rules as a copy of its frame with a facts record behind it. The frame's
 * `size` covers both, and bit 30 of its `present` says so; records cannot have that bit.
 *
 *     ┌─────────────────────────────┬────────────────────┬───────┬────────────┬────────────┬──────────────┬─────┐
 *     │ frame: header … logs, extra │ facts header 88 B  │ swaps │ arbitrages │ sandwiches │ liquidations │ jit │
 *     └─────────────────────────────┴────────────────────┴───────┴────────────┴────────────┴──────────────┴─────┘
 *     facts header: u16 version │ u16 headerSize │ u32 size │ u32 flags │ u32 risk │ u32 swapCount │ 0 u32 │ a part for each section
 *     part:         u32 at, in bytes from the part's beginning │ u32 entries │ u32 bytes of one entry
 *     entry:        u32 present, a bit for each optional field of it │ its fields, u256 at multiples of 8 │ zeros up to a multiple of 8
 *
 * Little-endian, absent is a bit that is 0 and bytes that are 0, as in frames. v1 never changes but that entries may get longer and new
 * sections and flags may follow: who reads them steps by an entry's bytes and ignores what it does not know.
 */
export const FACTS_VERSION = 1;

/** Of a frame's `present`: facts are behind it. */
export const FACTS_BIT = 2 ** 30;

/** Entries of a section that are listed; `swapCount` counts beyond. Far above what anybody does, and it bounds what a flood of logs costs. */
export const MAX_ENTRIES = 1_024;

/** Widths in bytes. A choice is the number, from 1, of one of some words; text is UTF-8, cut to its width, zeros behind. */
export const FACT_WIDTH = { u32: 4, choice: 4, u256: 32, bytes20: 20, bytes32: 32, text: 32 } as const;
export type FactType = keyof typeof FACT_WIDTH;

export interface EntryField {
  readonly name: string;
  readonly type: FactType;
  readonly doc: string;
  readonly optional?: true;
  readonly choices?: readonly string[];
}

const confidence = { name: "confidence", type: "choice", choices: ["low", "medium", "high"] } as const;
const logIndex = { name: "logIndex", type: "u32", doc: "of the log that says so" } as const;
const pool = (of: string) => {
  const doc = `contract of ${of}; of one that has an id the id's first 20 bytes, which of Balancer V2 are its contract`;
  return [
    { name: "pool", type: "bytes20", doc },
    { name: "poolId", type: "bytes32", doc: `id of ${of}: Uniswap V4, Balancer V2`, optional: true },
  ] as const;
};

/** Fields of an entry, in memory order. */
export const SECTIONS = {
  swap: [
    { ...confidence, doc: "how sure a swap is: low, medium, high" },
    logIndex,
    { name: "protocol", type: "text", doc: "protocol of a swap: uniswap_v2, uniswap_v3, curve …" },
    ...pool("a swap's pool"),
    { name: "from", type: "bytes20", doc: "who paid a swap's pool" },
    { name: "to", type: "bytes20", doc: "who was paid by a swap's pool" },
    { name: "tokenIn", type: "bytes20", doc: "token that a pool received in a swap" },
    { name: "tokenOut", type: "bytes20", doc: "token that a pool paid out in a swap" },
    { name: "amountIn", type: "u256", doc: "how much a pool received in a swap, in the token's smallest unit" },
    { name: "amountOut", type: "u256", doc: "how much a pool paid out in a swap" },
  ],
  arbitrage: [
    { ...confidence, doc: "how sure an arbitrage is: low, medium, high" },
    logIndex,
    { name: "hops", type: "u32", doc: "swaps of an arbitrage's route" },
    { name: "account", type: "bytes20", doc: "whose arbitrage it is" },
    { name: "token", type: "bytes20", doc: "token that an arbitrage begins and ends with" },
    { name: "start", type: "u256", doc: "how much went into an arbitrage" },
    { name: "end", type: "u256", doc: "how much came back from an arbitrage" },
    { name: "profit", type: "u256", doc: "what an arbitrage earned before gas; absent if less than nothing", optional: true },
    { name: "loss", type: "u256", doc: "what an arbitrage lost before gas; absent if nothing", optional: true },
  ],
  sandwich: [
    { ...confidence, doc: "how sure a sandwich is: low, medium, high" },
    { name: "role", type: "choice", choices: ["frontrun", "victim", "backrun"], doc: "part in a sandwich: frontrun, victim, backrun" },
    { name: "protocol", type: "text", doc: "protocol of a sandwich's pool" },
    ...pool("a sandwich's pool"),
    { name: "sandwicher", type: "bytes20", doc: "who made a sandwich" },
    { name: "token", type: "bytes20", doc: "token that a sandwich earned" },
    { name: "lossToken", type: "bytes20", doc: "token that a victim got less of", optional: true },
    { name: "profit", type: "u256", doc: "what a sandwich earned at this pool; absent if less than nothing", optional: true },
    { name: "loss", type: "u256", doc: "what this victim lost; absent of others, and where it cannot be computed", optional: true },
  ],
  liquidation: [
    { ...confidence, doc: "how sure a liquidation is: low, medium, high" },
    logIndex,
    { name: "protocol", type: "text", doc: "protocol of a liquidation: aave, compound_v2, morpho_blue …" },
    { name: "pool", type: "bytes20", doc: "lending pool or market of a liquidation" },
    { name: "liquidator", type: "bytes20", doc: "who repaid a liquidation's debt" },
    { name: "user", type: "bytes20", doc: "whose debt was repaid" },
    { name: "debtToken", type: "bytes20", doc: "token of a liquidation's debt" },
    { name: "collateralToken", type: "bytes20", doc: "token of a liquidation's collateral" },
    { name: "debtAmount", type: "u256", doc: "debt that was repaid" },
    { name: "collateralAmount", type: "u256", doc: "collateral that was taken" },
  ],
  jit: [
    { ...confidence, doc: "how sure JIT liquidity is: low, medium, high" },
    { name: "role", type: "choice", choices: ["mint", "swap", "burn"], doc: "part in JIT liquidity: mint, swap, burn" },
    { name: "protocol", type: "text", doc: "protocol of JIT liquidity's pool" },
    ...pool("JIT liquidity's pool"),
    { name: "provider", type: "bytes20", doc: "who provided JIT liquidity" },
    { name: "liquidity", type: "u256", doc: "how much of JIT liquidity, in the pool's unit" },
  ],
} as const satisfies Record<string, readonly EntryField[]>; // biome-ignore format: a table

export type SectionName = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

/** Bits of `flags`. */
export const FACT_FLAG = { arbitrage: 1, routerArbitrage: 2, sandwich: 4, liquidation: 8, jit: 16, failedAttempt: 32 } as const; // biome-ignore format: a table
export type FactFlag = keyof typeof FACT_FLAG;

/** Byte offsets within the facts header; `parts`: the first section's. */
export const FACTS = { version: 0, headerSize: 2, size: 4, flags: 8, risk: 12, swapCount: 16, parts: 24 } as const;
/** Within a part. */
export const PART = { at: 0, count: 4, stride: 8 } as const;
export const PART_BYTES = 12;
export const FACTS_HEADER = (FACTS.parts + SECTION_NAMES.length * PART_BYTES + 7) & ~7;

/** Where a section's part begins, in bytes of the facts header. */
export const partOf = (section: SectionName): number => FACTS.parts + SECTION_NAMES.indexOf(section) * PART_BYTES;

export interface PlacedField extends EntryField {
  /** Within the entry, in bytes. */
  readonly offset: number;
  /** Of the entry's `present`; 0: it is always there. */
  readonly bit: number;
}

export interface EntryLayout {
  readonly fields: readonly PlacedField[];
  /** Bytes of an entry. */
  readonly stride: number;
}

/** Where the fields of each section's entries are. */
export const ENTRIES = Object.fromEntries(SECTION_NAMES.map((name) => [name, layout(SECTIONS[name])])) as Record<
  SectionName,
  EntryLayout
>;

function layout(fields: readonly EntryField[]): EntryLayout {
  let at = 4;
  let bits = 0;
  const placed = fields.map((field): PlacedField => {
    const alignment = field.type === "u256" ? 8 : 4;
    const offset = Math.ceil(at / alignment) * alignment;
    at = offset + FACT_WIDTH[field.type];
    return { ...field, offset, bit: field.optional ? 2 ** bits++ : 0 };
  });
  return { fields: placed, stride: Math.ceil(at / 8) * 8 };
}
