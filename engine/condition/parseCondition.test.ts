import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONDITION_LIMITS } from "./condition.ts";
import { RULE_FIELDS } from "./fields.ts";
import { parseCondition } from "./parseCondition.ts";

const parsed = (input: unknown) => {
  const result = parseCondition(input);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.condition;
};
const problems = (input: unknown): string[] => {
  const result = parseCondition(input);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
};
const ADDRESS = `0x${"aB".repeat(20)}`;

describe("parseCondition()", () => {
  test("the short form: a member a comparison, all of which must hold", () => {
    expect(parsed({ value_gte: "10000000000000000000" })).toEqual({
      field: "value",
      operator: "gte",
      value: "10000000000000000000",
    });
    expect(parsed({ chain_id: 1, gas_price_gt: 5, to: ADDRESS, to_address_not_in: [ADDRESS] })).toEqual({
      and: [
        { field: "chainId", operator: "eq", value: "1" },
        { field: "gasPrice", operator: "gt", value: "5" },
        { field: "to", operator: "eq", value: ADDRESS.toLowerCase() },
        { field: "to", operator: "not_in", value: [ADDRESS.toLowerCase()] },
      ],
    });
  });

  test("the long form, nested, and both mixed", () => {
    const long = {
      and: [
        { field: "value", operator: "gte", value: "100000000000000000000" },
        { or: [{ field: "chain_id", operator: "eq", value: 1 }, { chainId_in: ["0x89", 56] }] },
        { not: { pending: true } },
      ],
    };
    expect(parsed(long)).toEqual({
      and: [
        { field: "value", operator: "gte", value: "100000000000000000000" },
        {
          or: [
            { field: "chainId", operator: "eq", value: "1" },
            { field: "chainId", operator: "in", value: ["137", "56"] },
          ],
        },
        { not: { field: "pending", operator: "eq", value: true } },
      ],
    });
  });

  test("null is absent, empty call data is none", () => {
    expect(parsed({ to: null })).toEqual({ field: "to", operator: "exists", value: false });
    expect(parsed({ to_ne: null })).toEqual({ field: "to", operator: "exists", value: true });
    expect(parsed({ input: "0x" })).toEqual({ field: "input", operator: "eq", value: "0x" });
  });

  test.each([
    [{ valeu: 1 }, 'valeu: Unknown field "valeu". Did you mean "value"? GET /api/v1/rule-fields lists them all'],
    [{ gasprice_gte: 1 }, 'gasprice_gte: Unknown field "gasprice_gte". Did you mean "gasPrice"?'],
    [{ field: "vlaue", operator: "gt", value: 1 }, 'field: Unknown field "vlaue". Did you mean "value"?'],
    [{ field: "value", operator: "geq", value: 1 }, 'operator: Unknown operator "geq": expected one of eq, ne,'],
    [{ field: "value", operator: "gtee", value: 1 }, 'Did you mean "gte"?'],
    [{ value: -1 }, 'value: Expected a whole number: 12, "12" or "0xc"; got -1'],
    [{ value: 1.5 }, "value: Expected a whole number"],
    [{ value: 1e21 }, "value: 1e+21 is not exact as a JSON number: write it as text"],
    [{ value: String(2n ** 256n) }, "value: Expected at most 2^256 - 1"],
    [{ to: "0x12" }, 'to: Expected 0x and 40 hexadecimal digits; got "0x12"'],
    [{ to_in_list: "Bad ones" }, "to_in_list: Expected the name of a list: 1 to 64 of a-z 0-9 - _"],
    [{ value_in_list: "bad" }, 'value_in_list: "in_list" cannot be asked of value'],
    [{ input_in_list: "bad" }, 'input_in_list: "in_list" cannot be asked of input'],
    [
      { to_gt: ADDRESS },
      'to_gt: "gt" cannot be asked of to: expected one of eq, ne, in, not_in, in_list, not_in_list, contains',
    ],
    [{ input_contains: "abc" }, "input_contains: Expected 0x and an even number of hexadecimal digits"],
    [{ input_regex: "(?=a)" }, 'input_regex: Cannot read the pattern "(?=a)"'],
    [{ to_in: [] }, "to_in: Expected a list of values, got []"],
    [{ to_in: [ADDRESS, 7] }, "to_in: Expected 0x and 40 hexadecimal digits; got 7"],
    [{ field: "value", operator: "gt" }, ": The value is missing"],
    [{ field: "value", operator: "gt", value: 1, vaule: 2 }, 'vaule: Unknown member "vaule"'],
    [{ and: { value: 1 } }, 'and: Expected a list of conditions, got {"value":1}'],
    [{ or: [] }, "or: Expected at least one alternative"],
    [{}, ": Expected a condition, got {}"],
    [[], ": Expected an object"],
    [null, ": Expected an object"],
    [{ and: [{ value: 1 }, { to: 5 }] }, "and.1.to: Expected 0x and 40"],
  ])("%j is refused with its place and a remedy", (input, expected) => {
    expect(problems(input).join("\n")).toContain(expected);
  });

  test("every mistake is reported, each with its place", () => {
    expect(
      problems({ and: [{ valeu: 1 }, { not: { to: "0x" } }, { gas_gt: "x" }] }).map((each) => each.split(":")[0]),
    ).toEqual(["and.0.valeu", "and.1.not.to", "and.2.gas_gt"]);
  });

  test("names of facts are those that there are, or any of up to 32 bytes", () => {
    expect(problems({ "sandwich.role": "victims" })).toEqual([
      'sandwich.role: Expected one of frontrun, victim, backrun; got "victims"',
    ]);
    expect(problems({ "swap.protocol_in": ["uniswap_v2", "x".repeat(33)] })[0]).toContain(
      "swap.protocol_in: Expected a name of 1 to 32 bytes; got",
    );
    expect(problems({ "swap.protocol_contains": "uni" })[0]).toContain('"contains" cannot be asked of swap.protocol');
    expect(problems({ "swap.tokenin": 1 })[0]).toContain('Did you mean "swap.tokenIn"?');
    expect(parseCondition({ "swap.token_in_in": [`0x${"AB".repeat(20)}`] })).toMatchObject({
      condition: { field: "swap.tokenIn", operator: "in", value: [`0x${"ab".repeat(20)}`] },
    });
  });

  test("limits: depth, comparisons, values, patterns", () => {
    let deep: unknown = { value: 1 };
    for (let i = 0; i < 100_000; i++) deep = { not: deep };
    expect(problems(deep)[0]).toContain(`Nested deeper than ${CONDITION_LIMITS.depth} levels`);
    const many = Array.from({ length: 200 }, (_, i) => ({ value: i }));
    expect(problems({ and: [{ or: many }, { or: many }] })).toEqual([
      `: More than ${CONDITION_LIMITS.predicates} comparisons: expected at most that; alternatives of one field are "in"`,
    ]);
    expect(problems({ nonce_in: Array.from({ length: 1_025 }, (_, i) => i) })[0]).toContain(
      "1025 values: expected at most 1024",
    );
    expect(problems({ input_regex: "a".repeat(513) })[0]).toContain(
      "Expected a regular expression of 1 to 512 characters",
    );
    expect(problems({ input_contains: `0x${"00".repeat(513)}` })[0]).toContain("513 bytes: expected at most 512");
  });

  test("whatever it is given, it answers", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (input) => {
        expect(typeof parseCondition(input).ok).toBe("boolean");
      }),
    );
  });

  test("no name means two fields", () => {
    const names = RULE_FIELDS.flatMap(({ name, aliases }) => [...new Set([name, ...aliases])]);
    expect(new Set(names).size).toBe(names.length);
  });
});
