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

test("its message may name fields; what cannot be named is refused with the nearest that can", () => {
  const says = (message: string) => ({ ...SHORT_RULE, actions: { message } });
  const text = "{from} sent {value:18} ETH to {to} at {gasPrice:9} gwei";
  expect(rule(says(text)).actions.message).toBe(text);
  expect(parseJsonRuleText(rule(says(text)).text)).toMatchObject({ ok: true });
  for (const [message, expected] of [
    ["{valeu}", 'There is no field "valeu" that a message may name. Did you mean "value"?'],
    ["{topic0}", 'There is no field "topic0" that a message may name'],
    ["{from:18}", 'Cannot write "from:18": expected an integer field'],
    ["{value:37}", 'Cannot write "value:37": expected an integer field and 0 to 36 decimals'],
    ["{value", "A brace stands alone"],
    ["{value} ".repeat(17), "It names 17 fields: expected at most 16"],
    ["x".repeat(513), "actions.message: "],
    ["", "actions.message: "],
  ])
    expect(problems(says(message!)).join("\n"), message).toContain(expected);
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

const PARAMETERS = {
  parameters: {
    least: { type: "integer", default: "1000", min: "1" },
    router: { type: "address", default: `0x${"AB".repeat(20)}` },
  },
  conditions: {
    or: [{ field: "value", operator: "gte", value: { param: "least" } }, { to_in: [{ param: "router" }] }],
  },
};

test("conditions may name parameters; the text keeps the names, so that other values can take their place", () => {
  const body = { ...SHORT_RULE, ...PARAMETERS };
  const parsed = rule(body);
  const conditionOf = (least: string, router: string) => ({
    or: [
      { field: "value", operator: "gte", value: least },
      { field: "to", operator: "in", value: [router] },
    ],
  });
  expect(parsed.condition).toEqual(conditionOf("1000", `0x${"ab".repeat(20)}`));
  expect(parsed.manifest.parameters.least).toEqual({ type: "integer", default: "1000", min: "1" });
  const values = { least: "5", router: `0x${"cd".repeat(20)}` };
  const again = parseJsonRuleText(parsed.text, values);
  expect(again).toMatchObject({ ok: true, rule: { condition: conditionOf("5", values.router), text: parsed.text } });
});

test("a parameter that is not there, is not used, or does not fit its place is told where it stands", () => {
  const { conditions, parameters } = PARAMETERS;
  const with_ = (more: object) => problems({ ...SHORT_RULE, ...PARAMETERS, ...more });
  expect(with_({ conditions: { ...conditions, nonce: { param: "lest" } } })).toEqual([
    'conditions.nonce: Unknown parameter "lest": expected one of least, router. Did you mean "least"?',
  ]);
  expect(with_({ parameters: { ...parameters, most: { type: "integer", default: 1 } } })).toEqual([
    'parameters.most: No condition has {"param": "most"}: it would change nothing',
  ]);
  expect(with_({ conditions: { ...conditions, created: { param: "router" } } })).toEqual([
    expect.stringContaining("conditions.created: "),
  ]);
  expect(with_({ parameters: { ...parameters, least: { type: "integer", default: "x" } } })).toEqual([
    'parameters.least.default: Expected a whole number of at most 2^256 - 1, got "x"',
  ]);
});
