import fc from "fast-check";
import { parseAbiItem, toEventSelector, toFunctionSelector } from "viem";
import { describe, expect, test } from "vitest";
import { ABI_LIMITS, idOf, readAbi, signatureOf, textOf } from "./items.ts";

const one = (entry: unknown) => {
  const { items, problems } = readAbi([entry]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return items[0]!;
};
const problem = (...entries: unknown[]): string => {
  const [first] = readAbi(entries).problems;
  return first ? `${first.path}: ${first.message}` : "none";
};

const WRITTEN = [
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "function transfer(address to, uint256 amount)",
  "function exactInput((bytes path, address recipient, uint256 amountIn)[2][] params)",
  "function nothing()",
] as const;

describe("readAbi()", () => {
  test("signatures: hashed as viem hashes them, and written as they were read", () => {
    for (const text of WRITTEN) {
      const item = one(text);
      expect(textOf(item)).toBe(text);
      const theirs = parseAbiItem(text as (typeof WRITTEN)[0]);
      const hash = item.kind === "event" ? toEventSelector(theirs) : toFunctionSelector(theirs as never);
      expect([text, idOf(item)]).toEqual([text, hash]);
    }
    const quiet = "event Quiet(uint8) anonymous"; // which viem does not read
    expect([one(quiet).anonymous, textOf(one(quiet))]).toEqual([true, quiet]);
  });

  test("what people write more, or for short", () => {
    expect(textOf(one("  function  f ( uint  memory a,tuple(int x)[] calldata b )external view returns (bool)"))).toBe(
      "function f(uint256 a, (int256 x)[] b)",
    );
    expect(signatureOf(one("event Swap(address indexed sender, int256[3] amounts, (uint8 a, bool b) c)"))).toBe(
      "Swap(address,int256[3],(uint8,bool))",
    );
  });

  test("the compiler's JSON is the same, alone or in an artifact; what is neither event nor function is left out", () => {
    const json = {
      ...{ type: "event", name: "Transfer", anonymous: false },
      inputs: [
        { name: "from", type: "address", internalType: "address", indexed: true },
        { name: "to", type: "address", internalType: "address", indexed: true },
        { name: "value", type: "uint256", internalType: "uint256", indexed: false },
      ],
    };
    expect(one(json)).toEqual(one(WRITTEN[0]));
    const others = [{ type: "constructor", inputs: [] }, { type: "receive" }, "error Oh(uint256)", "fallback()"];
    expect(readAbi({ abi: [json, ...others] })).toEqual({ items: [one(WRITTEN[0])], problems: [] });
    const tuple = {
      type: "function",
      name: "f",
      inputs: [{ name: "a", type: "tuple[]", components: [{ name: "b", type: "uint" }] }],
    };
    expect(textOf(one(tuple))).toBe("function f((uint256 b)[] a)");
  });

  test("what is wrong is told with its place", () => {
    expect(readAbi("Transfer").problems).toEqual([
      { path: "", message: 'Expected an array of events and functions, got "Transfer"' },
    ]);
    expect(problem("event Transfer(address")).toContain("no comma and no closing bracket at character 23");
    expect(problem("event Transfer(IERC20 token)")).toContain("a contract is an address");
    expect(problem("Transfer(address)")).toContain("no event and no function at character 1");
    expect(problem("struct Foo { uint a; }")).toContain("no event and no function");
    expect(problem({ type: "event", name: "A-B" })).toContain("0.name: Expected a name");
    expect(problem({ type: "event", name: "A", inputs: [{ type: "uint7" }] })).toContain(
      "0.inputs.0.type: Expected a Solidity type",
    );
    expect(problem({ type: "event", name: "A", inputs: 5 })).toContain("0.inputs: Expected an array of at most 100");
    expect(problem(7)).toContain("0: Expected a signature as text");
    expect(problem(WRITTEN[0], { type: "struct" })).toContain("1.type: Expected event or function");
  });

  test("limits", () => {
    expect(readAbi(Array(ABI_LIMITS.items + 1).fill(WRITTEN[0])).problems[0]?.message).toContain(
      "2001 entries, at most 2000",
    );
    expect(problem(`event A(${"uint256,".repeat(100)}uint256)`)).toContain("more than 100 parameters");
    expect(problem(`event A(${"(".repeat(9)}uint256${")".repeat(9)})`)).toContain("deeper than 8 levels");
    expect(problem(`event A(${" ".repeat(5_000)})`)).toContain("5009 characters: expected at most 4096");
    let nested: object = { type: "uint256" };
    for (let i = 0; i < 5_000; i++) nested = { type: "tuple", components: [nested] };
    expect(problem({ type: "event", name: "A", inputs: [nested] })).toContain("deeper than 8 levels");
  });

  test("whatever it is given, it answers", () => {
    const words = fc.constantFrom(
      "event ",
      "function ",
      "A",
      "(",
      ")",
      ",",
      "uint256",
      "[",
      "]",
      "tuple",
      "indexed ",
      " ",
      "3",
    );
    const text = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(fc.oneof(text, fc.jsonValue()))), (input) => {
        const { items } = readAbi(input);
        for (const item of items) expect(one(textOf(item))).toEqual(item);
      }),
      { numRuns: 3_000 },
    );
  });
});
