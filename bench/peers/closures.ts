/** Rules as plain JavaScript functions in a loop, over parsed transactions: what one writes without an engine. */
import type { JsonCondition, JsonRule } from "../load/ruleMix.ts";
import { createPairCounter, type MixTransaction, type Pairs } from "../load/ruleTruth.ts";

export type Closure = (tx: MixTransaction) => boolean;

export const compileClosures = (rules: readonly JsonRule[]): Closure[] =>
  rules.map(({ conditions }) => compile(conditions));

export function runClosures(closures: readonly Closure[], transactions: readonly MixTransaction[]): Pairs {
  const counter = createPairCounter();
  for (let t = 0; t < transactions.length; t++)
    for (let r = 0; r < closures.length; r++) if (closures[r]!(transactions[t]!)) counter.add(t, r);
  return counter.pairs;
}

function compile(condition: JsonCondition): Closure {
  if ("not" in condition) {
    const test = compile(condition.not);
    return (tx) => !test(tx);
  }
  if ("and" in condition) {
    const tests = condition.and.map(compile);
    return (tx) => {
      for (const test of tests) if (!test(tx)) return false;
      return true;
    };
  }
  if ("or" in condition) {
    const tests = condition.or.map(compile);
    return (tx) => {
      for (const test of tests) if (test(tx)) return true;
      return false;
    };
  }
  const { operator, value } = condition;
  const field = condition.field as "value" | "gasPrice" | "nonce";
  if (operator === "eq") return (tx) => (tx[field] as unknown) === value;
  if (operator === "starts_with") return (tx) => tx.input.startsWith(String(value));
  const bound = BigInt(value);
  if (operator === "gt") return (tx) => tx[field] > bound;
  if (operator === "gte") return (tx) => tx[field] >= bound;
  if (operator === "lt") return (tx) => tx[field] < bound;
  throw new RangeError(`Cannot compile the operator "${operator}": expected what a mix has, see bench/load/ruleMix.ts`);
}
