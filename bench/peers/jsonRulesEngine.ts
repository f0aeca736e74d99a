/** json-rules-engine, the JSON rule engine most used with Node, with operators of our own for amounts. */
import { Engine, type NestedCondition, type TopLevelCondition } from "json-rules-engine";
import type { JsonCondition, JsonRule } from "../load/ruleMix.ts";
import { createPairCounter, type MixTransaction, type Pairs } from "../load/ruleTruth.ts";

/** @param matched told the number of the rule with each match */
export function createJsonRulesEngine(
  rules: readonly JsonRule[],
  matched: (rule: number) => void = () => {},
): (transactions: readonly MixTransaction[]) => Promise<Pairs> {
  const engine = new Engine();
  engine.addOperator<bigint, bigint>("gt", (actual, bound) => actual > bound);
  engine.addOperator<bigint, bigint>("gte", (actual, bound) => actual >= bound);
  engine.addOperator<bigint, bigint>("lt", (actual, bound) => actual < bound);
  engine.addOperator<string, string>("starts_with", (actual, start) => actual.startsWith(start));
  for (const [r, { conditions }] of rules.entries()) {
    const condition = translate(conditions);
    // a condition stands in an "all", "any" or "not" at the top
    const top = "fact" in condition ? { all: [condition] } : condition;
    engine.addRule({ conditions: top as TopLevelCondition, event: { type: String(r) } });
  }
  return async (transactions) => {
    const counter = createPairCounter();
    for (const [t, tx] of transactions.entries()) {
      const { events } = await engine.run({ ...tx });
      for (const { type } of events) {
        counter.add(t, Number(type));
        matched(Number(type));
      }
    }
    return counter.pairs;
  };
}

function translate(condition: JsonCondition): NestedCondition {
  if ("and" in condition) return { all: condition.and.map(translate) };
  if ("or" in condition) return { any: condition.or.map(translate) };
  if ("not" in condition) return { not: translate(condition.not) };
  const { field, operator, value } = condition;
  if (operator === "eq") return { fact: field, operator: "equal", value };
  if (operator === "starts_with") return { fact: field, operator, value };
  return { fact: field, operator, value: BigInt(value) };
}
