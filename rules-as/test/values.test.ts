/** The SDK's values against JavaScript's BigInt and viem, asked through a calculator in the real sandbox. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { formatUnits, keccak256, maxUint256, stringToHex, toEventSelector, toFunctionSelector, toHex } from "viem";
import { expect, test } from "vitest";
import { sampleTransaction, tryRule } from "../cli/tryRule.ts";

const guest = await tryRule(fileURLToPath(new URL("guests/values.ts", import.meta.url)));
const word = (value: bigint) => value.toString(16).padStart(64, "0");
const call = (op: number, data: string) => sampleTransaction({ input: `0x${op.toString(16).padStart(8, "0")}${data}` });

/** One answer a question, from one batch. */
function ask(op: number, questions: readonly string[]): string[] {
  const { verdicts } = guest.run(questions.map((data) => call(op, data)));
  return verdicts.map(({ alerts, failure }) => failure ?? alerts.join().replace("info: ", ""));
}
const askWords = (op: number, questions: readonly (readonly bigint[])[]) =>
  ask(
    op,
    questions.map((words) => words.map(word).join("")),
  );
const askText = (op: number, ...texts: string[]) =>
  ask(
    op,
    texts.map((text) => stringToHex(text).slice(2)),
  );

const clamp = (value: bigint) => (value < 0n ? 0n : value > maxUint256 ? maxUint256 : value).toString();
/** Uniform ones would hardly ever carry: short ones, and those next to a power of two. */
const u256 = fc.oneof(
  fc.bigInt({ min: 0n, max: maxUint256 }),
  fc.bigInt({ min: 0n, max: 2n ** 70n }),
  fc.tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: -2, max: 2 })).map(([bit, off]) => {
    const value = 2n ** BigInt(bit) + BigInt(off);
    return value < 0n ? 0n : value > maxUint256 ? maxUint256 : value;
  }),
);
const u64 = u256.map((value) => value & (2n ** 64n - 1n));
const pairs = fc.sample(fc.tuple(u256, u256), { numRuns: 1000, seed: 1 });
const scaled = fc.sample(fc.tuple(u256, u64), { numRuns: 1000, seed: 2 });

test("U256 adds, subtracts and multiplies as BigInt does, and stops at its borders", () => {
  expect(askWords(1, pairs)).toEqual(pairs.map(([a, b]) => clamp(a + b)));
  expect(askWords(2, pairs)).toEqual(pairs.map(([a, b]) => clamp(a - b)));
  expect(askWords(3, scaled)).toEqual(scaled.map(([a, b]) => clamp(a * b)));
});

test("U256 divides as BigInt does, and aborts for 0", () => {
  const answers = askWords(4, scaled);
  scaled.forEach(([a, b], i) => {
    if (b === 0n) expect(answers[i]).toContain("Cannot divide by 0");
    else expect(answers[i]).toBe((a / b).toString());
  });
});

test("U256 compares as BigInt does", () => {
  const same = pairs.map(([a]) => [a, a] as const);
  expect(askWords(5, [...pairs, ...same])).toEqual(
    [...pairs, ...same].map(([a, b]) =>
      [
        a < b ? -1 : a > b ? 1 : 0,
        a === b,
        a !== b,
        a < b,
        a <= b,
        a > b,
        a >= b,
        a === 0n,
        a === maxUint256,
        a < 2n ** 64n ? a : 2n ** 64n - 1n,
      ].join(" "),
    ),
  );
});

test("U256.addExact and subExact abort where add and sub stop", () => {
  expect(askWords(13, [[maxUint256, 0n]])).toEqual([maxUint256.toString()]);
  expect(askWords(13, [[maxUint256, 1n]])[0]).toContain("Cannot add: the sum exceeds 2^256 - 1");
  expect(askWords(14, [[5n, 5n]])).toEqual(["0"]);
  expect(askWords(14, [[5n, 6n]])[0]).toContain("Cannot subtract: the difference is negative");
});

test("U256.toF64 is as near as a number can be", () => {
  askWords(18, pairs).forEach((answer, i) => {
    const exact = Number(pairs[i]![0]);
    expect(Math.abs(Number(answer) - exact)).toBeLessThanOrEqual(exact * 2 ** -50);
  });
});

test("formatUnits() agrees with viem's, and cuts the fraction", () => {
  const cases = fc.sample(fc.tuple(u256, fc.integer({ min: 0, max: 90 })), { numRuns: 500, seed: 3 });
  expect(
    askWords(
      6,
      cases.map(([a, decimals]) => [a, BigInt(decimals), 100n]),
    ),
  ).toEqual(cases.map(([a, decimals]) => formatUnits(a, decimals)));
  expect(
    askWords(6, [
      [1_999_999n, 6n, 2n],
      [1_000_001n, 6n, 2n],
      [5n, 6n, 0n],
      [0n, 18n, 4n],
    ]),
  ).toEqual(["1.99", "1", "0", "0"]);
  expect(askWords(22, [[10n ** 18n / 3n]])).toEqual([
    `${10n ** 20n} ${35n * 10n ** 9n} 7 0.3333 35.12 ${5n * 10n ** 17n}`,
  ]);
});

test("keccak256() agrees with viem's for every length around the block size", () => {
  const inputs = Array.from({ length: 300 }, (_, length) =>
    toHex(Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)),
  );
  expect(
    ask(
      7,
      inputs.map((hex) => hex.slice(2)),
    ),
  ).toEqual(inputs.map((hex) => keccak256(hex)));
});

test("selector() and topic() agree with viem's", () => {
  const signatures = [
    "approve(address,uint256)",
    "a()",
    "Transfer(address,address,uint256)",
    "exactInput((bytes,address,uint256,uint256,uint256))",
    "print(int256[],uint8)",
  ];
  expect(askText(8, ...signatures)).toEqual(
    signatures.map((text) => `${BigInt(toFunctionSelector(text)).toString(16)} ${toEventSelector(text)}`),
  );
});

test("selector() refuses what would hash to something that nobody sends", () => {
  for (const text of [
    "approve",
    "approve(address, uint256)",
    "approve(address,uint)",
    "f(uint[])",
    "f(int,bool)",
    "(address)",
  ]) {
    expect(askText(8, text)[0]).toContain(`Cannot hash "${text}"`);
  }
});

test("hex constants are read in either case, and refused unless their width is right", () => {
  const mixed = "0x7A250d5630B4cF539739dF2C5dAcb4c659F2488D";
  expect(askText(9, mixed)).toEqual([mixed.toLowerCase()]);
  for (const text of [mixed.slice(0, -1), `${mixed}0`, mixed.replace("7A", "7G"), mixed.slice(2), "", "0x"]) {
    expect(askText(9, text)[0]).toContain(`Cannot read "${text}" as an address: expected 0x and 40 hexadecimal digits`);
  }
  const hash = `0x${"0aF".repeat(21)}9`;
  expect(askText(10, hash)).toEqual([hash.toLowerCase()]);
  expect(askText(10, hash.slice(0, -1))[0]).toContain("Cannot read");
  expect(askText(11, "0x", "0x00ff", "0xABCDEF")).toEqual(["0x", "0x00ff", "0xabcdef"]);
  expect(askText(11, "0xabc")[0]).toContain("Cannot read");
  expect(askText(11, "0xzz")[0]).toContain("Cannot read");
});

test("units() reads decimals exactly", () => {
  expect(askText(12, "1", "0.5", "1234567.000001", ".25", "7.")).toEqual([
    "1000000",
    "500000",
    "1234567000001",
    "250000",
    "7000000",
  ]);
  const most = maxUint256.toString();
  const [whole, fraction] = [most.slice(0, -6), most.slice(-6)];
  const tooMuch = [`${whole}.${Number(fraction) + 1}`, `${whole}0`, "9".repeat(85)];
  expect(askText(12, `${whole}.${fraction}`, ...tooMuch)).toEqual([most, most, most, most]);
  for (const text of ["", ".", "1.0000001", "1,5", "-1", "1.2.3", "0x1", "1e6"])
    expect(askText(12, text)[0]).toContain("Cannot read");
});

test("arguments that are not there read as zero and say so", () => {
  const zero = `0x${word(0n)}`;
  const one = `0x${word(1n)}`;
  expect(ask(21, ["", "00".repeat(31), word(1n), `${word(1n)}${"00".repeat(31)}`, word(1n) + word(2n)])).toEqual([
    `false false false ${zero} true`,
    `false false false ${zero} true`,
    `true false false ${one} true`,
    `true false false ${one} true`,
    `true true false ${one} true`,
  ]);
  const { verdicts } = guest.run(["0x", "0x00", "0x000015"].map((input) => sampleTransaction({ input })));
  expect(verdicts.map(({ alerts, failure }) => [alerts.length, failure])).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ]);
});

test("Bytes never reads past its end", () => {
  expect(ask(20, ["0102030405", `${"ab".repeat(32)}`, ""])).toEqual([
    "1 0 0x0203 0 true true false false true",
    "171 0 0xabab 0 true true true false true",
    "0 0 0x 0 true true false false true",
  ]);
});

test("AddressSet finds its members and nothing else", () => {
  const strangers = fc.sample(fc.bigInt({ min: 2n, max: 2n ** 160n - 2n }), { numRuns: 200, seed: 4 });
  expect(askWords(19, [[1n], [0x7a250d5630b4cf539739df2c5dacb4c659f2488dn], [2n ** 160n - 1n], [0n]])).toEqual([
    "0 true false",
    "1 true true",
    "2 true false",
    "-1 false false",
  ]);
  expect(
    new Set(
      askWords(
        19,
        strangers.map((one) => [one]),
      ),
    ),
  ).toEqual(new Set(["-1 false false"]));
});

test("alert() and tag() cut over-long texts between characters", () => {
  for (const [op, most] of [
    [15, 1024],
    [16, 64],
  ] as const) {
    for (const character of ["x", "é", "日", "😀"]) {
      for (let shift = 0; shift < 4; shift++) {
        const text = "a".repeat(shift) + character.repeat(1100);
        const room = Math.floor((most - shift) / Buffer.byteLength(character));
        const expected = "a".repeat(shift) + character.repeat(room);
        const { verdicts } = guest.run([call(op, stringToHex(text).slice(2))]);
        const got = op === 15 ? verdicts[0]!.alerts[0]!.replace("info: ", "") : verdicts[0]!.tags[0]!;
        expect(got === expected, `${character} after ${shift}`).toBe(true);
      }
    }
  }
  expect(askText(15, "", "plain", "ünïcödé 日本 😀")).toEqual(["", "plain", "ünïcödé 日本 😀"]);
});

test("score() stays within 0 and 1", () => {
  const bits = (value: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return word(view.getBigUint64(0));
  };
  const { verdicts } = guest.run(
    [0, 0.25, 1, 1.5, -3, Number.NaN, Number.POSITIVE_INFINITY].map((value) => call(17, bits(value))),
  );
  expect(verdicts.map(({ scores }) => scores[0])).toEqual([0, 0.25, 1, 1, 0, 0, 1]);
});

test("a transaction that writes more than its room is told short, not failed", () => {
  const { verdicts } = guest.run([call(23, ""), call(23, "")]);
  for (const { tags, failure } of verdicts) {
    expect(failure).toBeNull();
    expect(tags.length).toBe(255);
    expect(tags.slice(-2)).toEqual(["t", "truncated"]);
  }
  // 8 bytes each: it is the number that is too large
  const [empty] = guest.run([call(28, "")]).verdicts;
  expect(empty!.failure).toBeNull();
  expect([empty!.tags.length, empty!.tags.at(-1)]).toEqual([256, "truncated"]);
});

test("the arena ends at 1 MiB, and is clean for the next transaction", () => {
  expect(ask(24, [""])[0]).toContain("Cannot allocate: expected at most 1 MiB for one transaction");
  expect(ask(25, ["", "", ""])).toEqual(["0", "0", "0"]);
  expect(ask(29, ["", "", ""])).toEqual(["0", "0", "0"]);
});

test("what belongs elsewhere aborts with a reason", () => {
  expect(ask(26, [""])[0]).toContain("Cannot read log 0: the transaction has 0");
  expect(ask(27, [""])[0]).toContain("Cannot call param within onTx: expected it at the top level of the rule");
});

test("declared parameters are in the manifest", () => {
  expect(guest.manifest.parameters).toEqual({
    aNumber: {
      ...{ type: "integer", default: "42", min: "0", max: "9007199254740991" },
      description: 'a "quoted" description\n',
    },
    aFraction: { type: "number", default: 0.5 },
    aBool: { type: "boolean", default: true },
    aText: { type: "text", default: "täxt" },
  });
});
