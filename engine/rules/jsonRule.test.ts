import { expect, test } from "vitest";
import { MAX_JSON_RULE_BYTES, parseJsonRule, parseJsonRuleText } from "./jsonRule.ts";
import { LONG_RULE, SHORT_RULE } from "./testing/seedRules.ts";

const rule = (body: unknown) => {
  const result = parseJsonRule(body);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.rule;
};
const problems = (body: unknown) => {
  const result = parseJsonRule(body);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
};

test("the seed's rule, whole", () => {
  expect(rule(LONG_RULE)).toMatchObject({
    name: "whale-transaction-alert",
    manifest: { name: "whale-transaction-alert", description: "Alert for transactions > 100 ETH", severity: "high" },
    condition: {
      and: [
        { field: "value", operator: "gte", value: "100000000000000000000" },
        { field: "chainId", operator: "eq", value: "1" },
      ],
    },
    silent: false,
  });
});

test("the seed's short rule: what it leaves out has a default, and its name tells what an alert says", () => {
  expect(rule(SHORT_RULE)).toMatchObject({
    name: "high-value-transaction-alert",
    manifest: { description: "High Value Transaction Alert", severity: "medium" },
    condition: { field: "value", operator: "gte", value: "10000000000000000000" },
  });
});

test("rules that say the same in other words are one text, and that text is a rule again", () => {
  const other = { ...LONG_RULE, conditions: { and: [{ value_gte: "0x56bc75e2d63100000" }, { chainId: "1" }] } };
  expect(rule(other).text).toBe(rule(LONG_RULE).text);
  const again = parseJsonRuleText(rule(LONG_RULE).text);
  expect(again).toEqual({ ok: true, rule: rule(LONG_RULE) });
});

test("one that must not alert counts", () => {
  expect(rule({ ...LONG_RULE, actions: { send_alert: false } }).silent).toBe(true);
});

test.each([
  [
    { ...LONG_RULE, conditions: { valeu_gte: 1 } },
    'conditions.valeu_gte: Unknown field "valeu_gte". Did you mean "value"?',
  ],
  [{ ...LONG_RULE, conditions: undefined }, "conditions: Expected an object"],
  [{ ...LONG_RULE, name: undefined }, "name: The name is missing"],
  [{ ...LONG_RULE, name: "!!!" }, "name: Expected a name with a letter or digit"],
  [{ ...LONG_RULE, actions: { severity: "hihg" } }, "actions.severity: "],
  [{ ...LONG_RULE, action: {} }, "action"],
  [null, "expected object"],
])("%j is refused with its place", (body, expected) => {
  expect(problems(body).join("\n")).toContain(expected);
});

test("mistakes in the body and in the condition are reported together", () => {
  const both = { ...LONG_RULE, actions: { severity: 1 }, conditions: { vaule: 1 } };
  expect(problems(both)).toHaveLength(2);
});

test("text that is no JSON, or too long, is refused", () => {
  expect(parseJsonRuleText("{")).toMatchObject({ ok: false, problems: [{ path: "" }] });
  const long = parseJsonRuleText(" ".repeat(MAX_JSON_RULE_BYTES + 1));
  expect(long).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining("expected at most that") }] });
});
