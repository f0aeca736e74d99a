import fc from "fast-check";
import type { Entry, TransactionFacts } from "../factsOf.ts";
import { type EntryField, FACT_FLAG, type FactFlag, SECTIONS, type SectionName } from "../schema.ts";

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat()).map((n) => `0x${n.toString(16).padStart(bytes * 2, "0")}`);

/** Small, and beyond what a double holds: near each other. */
const u256 = fc.oneof(
  fc.bigInt(0n, 9n),
  fc.bigInt(-2n, 2n).map((by) => 2n ** 200n + by),
  fc.constant(2n ** 256n - 1n),
);

function fieldValue({ type, choices }: EntryField): fc.Arbitrary<string | number | bigint> {
  if (type === "choice") return fc.constantFrom(...choices!);
  if (type === "text") return fc.constantFrom("uniswap_v2", "uniswap_v3", "a", "thirty-two bytes, and none to do");
  if (type === "u256") return u256;
  if (type === "u32") return fc.oneof(fc.nat(4), fc.constant(2 ** 32 - 1));
  return hex(type === "bytes20" ? 20 : 32);
}

const entryOf = (section: SectionName): fc.Arbitrary<Entry> =>
  fc.record(
    Object.fromEntries(
      (SECTIONS[section] as readonly EntryField[]).map((field) => [
        field.name,
        field.optional ? fc.option(fieldValue(field), { nil: undefined }) : fieldValue(field),
      ]),
    ),
  );

const entries = (section: SectionName) => fc.array(entryOf(section), { maxLength: 3 });

/** Facts of a transaction, such as no detector would find together. */
export const someFacts: fc.Arbitrary<TransactionFacts> = fc
  .record({
    flags: fc.subarray(Object.keys(FACT_FLAG) as FactFlag[]),
    entries: fc.record({
      swap: entries("swap"),
      arbitrage: entries("arbitrage"),
      sandwich: entries("sandwich"),
      liquidation: entries("liquidation"),
      jit: entries("jit"),
    }),
    risk: fc.nat(100),
  })
  .map(({ flags, entries, risk }) => ({ flags: new Set(flags), entries, risk }));
