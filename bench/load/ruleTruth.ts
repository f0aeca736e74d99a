/**
 * The truth about JSON rules: every rule on every transaction, read out of the JSON, without the engine and without an index. Only
 * what the mixes use.
 */
import type { JsonCondition, JsonRule } from "./ruleMix.ts";

/** The fields of a transaction that the mixes ask about. */
export interface MixTransaction {
  readonly chainId: number;
  readonly from: string;
  readonly to: string | null;
  readonly input: string;
  readonly nonce: bigint;
  readonly value: bigint;
  readonly gasPrice: bigint;
}

export function parseTransaction(line: string): MixTransaction {
  const { chainId, from, to, input, nonce, value, gasPrice } = JSON.parse(line) as Record<string, string | undefined>;
  return {
    chainId: Number(chainId),
    from: from!,
    to: to ?? null,
    input: input!,
    nonce: BigInt(nonce!),
    value: BigInt(value!),
    gasPrice: BigInt(gasPrice ?? -1), // without one it is above nothing
  };
}

/** How many pairs of transaction and rule there are, and which ones: a sum over them that does not depend on their order. */
export interface Pairs {
  readonly matches: number;
  readonly checksum: number;
}

/** What one pair adds to the checksum, modulo 2^32. */
export const pairHash = (transaction: number, rule: number): number =>
  Math.imul(Math.imul(transaction + 1, 0x9e3779b1) ^ Math.imul(rule + 1, 0x85ebca6b), 0xc2b2ae35) >>> 0;

/** Sums pairs up. */
export function createPairCounter(): { add(transaction: number, rule: number): void; readonly pairs: Pairs } {
  let matches = 0;
  let checksum = 0;
  return {
    add(transaction, rule) {
      matches++;
      checksum = (checksum + pairHash(transaction, rule)) >>> 0;
    },
    get pairs() {
      return { matches, checksum };
    },
  };
}

/** Takes 0.1 to 0.3 µs a pair. */
export function bruteForce(rules: readonly JsonRule[], transactions: readonly MixTransaction[]): Pairs {
  const counter = createPairCounter();
  eachPair(rules, transactions, counter.add);
  return counter.pairs;
}

/** How many of the transactions each rule matches. */
export function countByRule(rules: readonly JsonRule[], transactions: readonly MixTransaction[]): number[] {
  const counts = new Array<number>(rules.length).fill(0);
  eachPair(rules, transactions, (_, rule) => void counts[rule]!++);
  return counts;
}

function eachPair(
  rules: readonly JsonRule[],
  transactions: readonly MixTransaction[],
  found: (transaction: number, rule: number) => void,
): void {
  const conditions = rules.map(({ conditions }) => prepare(conditions));
  for (const [t, tx] of transactions.entries())
    for (const [r, condition] of conditions.entries()) if (holds(condition, tx)) found(t, r);
}

type Prepared =
  | { readonly kind: "and" | "or"; readonly of: readonly Prepared[] }
  | { readonly kind: "not"; readonly of: Prepared }
  | { readonly kind: string; readonly field: keyof MixTransaction; readonly value: string | number | bigint };

/** Numbers become what the transaction has in their field. @throws RangeError for a field or operator that no mix uses */
export function prepare(condition: JsonCondition): Prepared {
  if ("and" in condition) return { kind: "and", of: condition.and.map(prepare) };
  if ("or" in condition) return { kind: "or", of: condition.or.map(prepare) };
  if ("not" in condition) return { kind: "not", of: prepare(condition.not) };
  const { field, operator, value } = condition;
  const known = FIELDS[field];
  if (known === undefined || !known.operators.includes(operator))
    throw new RangeError(`Cannot count "${field} ${operator}": expected what a mix has, see bench/load/ruleMix.ts`);
  return { kind: operator, field: field as keyof MixTransaction, value: known.big ? BigInt(value) : value };
}

const ORDER = ["gt", "gte", "lt", "lte"];
const FIELDS: Record<string, { readonly operators: readonly string[]; readonly big: boolean }> = {
  chainId: { operators: ["eq"], big: false },
  from: { operators: ["eq"], big: false },
  to: { operators: ["eq"], big: false },
  input: { operators: ["starts_with"], big: false },
  nonce: { operators: ORDER, big: true },
  value: { operators: ORDER, big: true },
  gasPrice: { operators: ORDER, big: true },
};

function holds(condition: Prepared, tx: MixTransaction): boolean {
  if ("field" in condition) {
    const actual = tx[condition.field]!;
    switch (condition.kind) {
      case "eq":
        return actual === condition.value;
      case "gt":
        return actual > condition.value;
      case "gte":
        return actual >= condition.value;
      case "lt":
        return actual < condition.value;
      case "lte":
        return actual <= condition.value;
      default:
        return (actual as string).startsWith(condition.value as string);
    }
  }
  if (condition.kind === "and") return condition.of.every((each) => holds(each, tx));
  if (condition.kind === "or") return condition.of.some((each) => holds(each, tx));
  return !holds(condition.of as Prepared, tx);
}
