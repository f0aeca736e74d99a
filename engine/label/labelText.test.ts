import fc from "fast-check";
import { expect, test } from "vitest";
import { LABEL_LIMITS } from "./label.ts";
import { readLabels } from "./labelText.ts";

const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const labels = (text: string, kind: "csv" | "json" = "csv") => {
  const read = readLabels(text, kind);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.labels;
};
const problems = (text: string, kind: "csv" | "json" = "csv"): string[] => {
  const read = readLabels(text, kind);
  return read.ok ? [] : read.problems.map(({ place, message }) => `${place}: ${message}`);
};

test("CSV: columns by their header, quotes, empty fields; the chain is 1 where it is not said", () => {
  const text = `\uFEFFaddress,name,symbol,decimals,chain_id\r\n${address(0xa).toUpperCase().replace("0X", "0x")},Hot wallet,,,\n\n${address(11)}," ""A"", B ",ABC,6,137\n`;
  expect(labels(text)).toEqual([
    { chainId: 1, address: address(0xa), name: "Hot wallet", symbol: null, decimals: null },
    { chainId: 137, address: address(11), name: '"A", B', symbol: "ABC", decimals: 6 },
  ]);
});

test("JSON is the same", () => {
  const entries = [
    { address: address(1), name: "A" },
    { chain_id: 10, address: address(1), name: "B", symbol: "B", decimals: 0 },
  ];
  expect(labels(JSON.stringify(entries), "json")).toMatchObject([
    { chainId: 1, name: "A" },
    { chainId: 10, decimals: 0 },
  ]);
});

test("each mistake is told with its line", () => {
  const head = "address,name,symbol,decimals\n";
  expect(problems("wallet,name\n")[0]).toContain("line 1: Expected a header of chain_id,address,name,symbol,decimals");
  expect(
    problems(`${head}0x12,A,,\n${address(1)},,,\n${address(2)},A,T,\n${address(3)},A,T,78\n${address(4)},{A},,`),
  ).toEqual([
    "line 2: address: Expected an address: 0x and 40 hexadecimal digits",
    expect.stringMatching(/^line 3: name: /),
    "line 4: decimals: Expected symbol and decimals, or neither: a token has both",
    "line 5: decimals: Expected digits behind the point, 0 to 77",
    "line 6: name: Expected text without { } and control characters",
  ]);
  expect(problems(`${head}${address(1)},A\n`)).toEqual(["line 2: Expected 4 fields, got 2"]);
  expect(problems(`${head}${address(1)},"A,,\n`)).toEqual(["line 2: Expected 4 fields, got a quote that does not end"]);
  expect(problems(`${head}${address(1)},A,,\n${address(1)},B,,`)[0]).toContain(
    "line 3: 0x0000000000000000000000000000000000000001 is there twice",
  );
  expect(problems("[1]", "json")[0]).toContain("entry 1: ");
  expect(problems("{}", "json")).toEqual(["all: Expected an array of labels"]);
  expect(problems("{", "json")[0]).toContain("all: Expected JSON");
  const many = Array.from({ length: LABEL_LIMITS.import + 1 }, (_, i) => `${address(i)},A`).join("\n");
  expect(problems(`address,name\n${many}`)).toEqual(["all: 10001 labels: expected at most 10000"]);
});

test("whatever it is given, it answers", () => {
  const text = fc
    .array(fc.constantFrom("address", "name", ",", '"', "\n", address(1), "A", " ", "7"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.string(),
        text.map((rest) => `address,name\n${rest}`),
      ),
      (input) => {
        for (const kind of ["csv", "json"] as const) expect(typeof readLabels(input, kind).ok).toBe("boolean");
      },
    ),
  );
});
