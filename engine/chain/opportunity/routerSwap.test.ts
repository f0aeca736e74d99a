import { createRequire } from "node:module";
import fc from "fast-check";
import {
  type Abi,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  numberToHex,
  parseAbi,
  parseAbiParameters,
} from "viem";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { writeFrame } from "../../frame/writeFrame.ts";
import { MAX_PATH, readRouterSwaps, routerSwapsOf } from "./routerSwap.ts";

const { abi } = createRequire(import.meta.url)("@uniswap/v2-periphery/build/UniswapV2Router02.json") as { abi: Abi };
const address = (n: number): Hex => `0x${n.toString(16).padStart(40, "b")}`;
const PATH = [address(1), address(2), address(3)];
const TO = address(9);

function read(input: Hex, value = 0n) {
  const writer = createFrameWriter();
  const hash = `0x${"1".repeat(64)}`;
  writeFrame(writer, { chainId: 1, hash, from: TO, to: TO, nonce: "0x0", gas: "0x0", value: `0x${value.toString(16)}`, input }); // biome-ignore format: a record
  const swaps = readRouterSwaps({ bytes: writer.bytes, u32: writer.u32 }, 0);
  expect(routerSwapsOf(Buffer.from(input.slice(2), "hex"), value)).toEqual(swaps);
  return swaps;
}
const call = (functionName: string, args: unknown[], value = 0n) =>
  read(encodeFunctionData({ abi, functionName, args }), value);

describe("a router's call", () => {
  test.each([
    ["swapExactTokensForTokens", [5n, 3n, PATH, TO, 99n], 0n, { exact: "in", amount: 5n, limit: 3n }],
    ["swapTokensForExactTokens", [5n, 7n, PATH, TO, 99n], 0n, { exact: "out", amount: 5n, limit: 7n }],
    ["swapExactETHForTokens", [3n, PATH, TO, 99n], 5n, { exact: "in", amount: 5n, limit: 3n }],
    ["swapTokensForExactETH", [5n, 7n, PATH, TO, 99n], 0n, { exact: "out", amount: 5n, limit: 7n }],
    ["swapExactTokensForETH", [5n, 3n, PATH, TO, 99n], 0n, { exact: "in", amount: 5n, limit: 3n }],
    ["swapETHForExactTokens", [5n, PATH, TO, 99n], 7n, { exact: "out", amount: 5n, limit: 7n }],
    ["swapExactTokensForTokensSupportingFeeOnTransferTokens", [5n, 3n, PATH, TO, 99n], 0n, { mayBeTaxed: true, amount: 5n, limit: 3n }], // biome-ignore format: a line each
    ["swapExactETHForTokensSupportingFeeOnTransferTokens", [3n, PATH, TO, 99n], 5n, { mayBeTaxed: true, amount: 5n, limit: 3n }], // biome-ignore format: a line each
    ["swapExactTokensForETHSupportingFeeOnTransferTokens", [5n, 3n, PATH, TO, 99n], 0n, { mayBeTaxed: true, amount: 5n, limit: 3n }], // biome-ignore format: a line each
  ] as const)("%s", (name, args, value, expected) => {
    expect(call(name, [...args], value)).toEqual([{ path: PATH, exact: "in", mayBeTaxed: false, ...expected }]);
  });

  test("anything else is none", () => {
    expect(read("0x")).toEqual([]);
    expect(call("addLiquidityETH", [address(1), 1n, 1n, 1n, TO, 9n])).toEqual([]);
    expect(call("swapExactTokensForTokens", [0n, 3n, PATH, TO, 99n])).toEqual([]);
    expect(call("swapExactTokensForTokens", [5n, 3n, [address(1)], TO, 99n])).toEqual([]);
    const long = Array.from({ length: MAX_PATH + 1 }, (_, i) => address(i));
    expect(call("swapExactTokensForTokens", [5n, 3n, long, TO, 99n])).toEqual([]);
  });

  test("however its input is cut or changed, it is read within its bounds", () => {
    const whole = encodeFunctionData({ abi, functionName: "swapExactTokensForTokens", args: [5n, 3n, PATH, TO, 99n] });
    for (let length = 2; length < whole.length; length += 2) {
      const found = read(whole.slice(0, length) as Hex);
      // The last words are the path's: without any of its bytes there is none.
      expect(found).toEqual([]);
    }
    const bytes = Buffer.from(whole.slice(2), "hex");
    fc.assert(
      fc.property(fc.integer({ min: 4, max: bytes.length - 1 }), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        const found = read(`0x${changed.toString("hex")}`);
        for (const token of found.flatMap(({ path }) => path)) expect(token).toMatch(/^0x[0-9a-f]{40}$/);
      }),
    );
  });

  const V3 = parseAbi([
    "function exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "function exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "function exactInput((bytes,address,uint256,uint256,uint256))",
    "function exactOutput((bytes,address,uint256,uint256,uint256))",
    "function multicall(bytes[])",
    "function multicall(uint256,bytes[])",
    "function unwrapWETH9(uint256,address)",
    "function unwrapWETH9WithFee(uint256,address,uint256,address)",
    "function execute(bytes,bytes[],uint256)",
  ]);
  const SHORT = parseAbi([
    "function exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "function exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "function exactInput((bytes,address,uint256,uint256))",
    "function exactOutput((bytes,address,uint256,uint256))",
  ]);
  const encode = (functionName: string, args: unknown[], abi: Abi = V3) =>
    encodeFunctionData({ abi, functionName, args });
  const feePath = (...parts: (Hex | number)[]): Hex =>
    concatHex(parts.map((part) => (typeof part === "number" ? numberToHex(part, { size: 3 }) : part)));
  const [A, B, C] = PATH as [Hex, Hex, Hex];
  const there = feePath(A, 500, B, 3000, C);
  const back = feePath(C, 3000, B, 500, A);

  test.each([
    ["exactInputSingle", [A, B, 500, TO, 99n, 5n, 3n, 0n], V3, { path: [A, B], fees: [500], exact: "in" }],
    ["exactOutputSingle", [A, B, 500, TO, 99n, 5n, 3n, 0n], V3, { path: [A, B], fees: [500], exact: "out" }],
    ["exactInput", [there, TO, 99n, 5n, 3n], V3, { path: PATH, fees: [500, 3000], exact: "in" }],
    ["exactOutput", [back, TO, 99n, 5n, 3n], V3, { path: PATH, fees: [500, 3000], exact: "out" }],
    ["exactInputSingle", [A, B, 500, TO, 5n, 3n, 0n], SHORT, { path: [A, B], fees: [500], exact: "in" }],
    ["exactOutputSingle", [A, B, 500, TO, 5n, 3n, 0n], SHORT, { path: [A, B], fees: [500], exact: "out" }],
    ["exactInput", [there, TO, 5n, 3n], SHORT, { path: PATH, fees: [500, 3000], exact: "in" }],
    ["exactOutput", [back, TO, 5n, 3n], SHORT, { path: PATH, fees: [500, 3000], exact: "out" }],
  ] as const)("V3's %s, case %#", (name, args, abi, expected) => {
    const swap = { amount: 5n, limit: 3n, mayBeTaxed: false, ...expected };
    const call = encode(name, [args], abi);
    expect(read(call)).toEqual([swap]);
    expect(read(encode("multicall", [[call]]))).toEqual([swap]);
    expect(read(encode("multicall", [99n, ["0x", call, call]]))).toEqual([swap, swap]);
  });

  test("one that stops at a price is not read: it may take a part of its amount", () => {
    expect(read(encode("exactInputSingle", [[A, B, 500, TO, 99n, 5n, 3n, 1n]]))).toEqual([]);
  });

  test("what a multicall pays out at the end is the least of its only swap; of several, or behind a fee, nobody can say", () => {
    const swap = (limit: bigint) => encode("exactInputSingle", [[A, B, 500, TO, 99n, 5n, limit, 0n]]);
    const unwrap = encode("unwrapWETH9", [7n, TO]);
    const limits = (...calls: Hex[]) => read(encode("multicall", [calls])).map(({ limit }) => limit);
    expect(limits(swap(0n), unwrap)).toEqual([7n]);
    expect(limits(swap(3n), unwrap)).toEqual([3n]);
    expect(limits(swap(0n), swap(3n), unwrap)).toEqual([null, 3n]);
    expect(limits(swap(0n), encode("unwrapWETH9WithFee", [7n, TO, 1n, TO]))).toEqual([null]);
    expect(limits(...Array(9).fill(swap(1n)))).toEqual([]);
  });

  const INPUT = { v2: "address, uint256, uint256, address[], bool", v3: "address, uint256, uint256, bytes, bool" };
  const input = (kind: "v2" | "v3", amount: bigint, limit: bigint, path: Hex | Hex[]): Hex =>
    encodeAbiParameters(parseAbiParameters(INPUT[kind]), [TO, amount, limit, path, true] as never);
  const settle = (least: bigint): Hex => encodeAbiParameters(parseAbiParameters("address, uint256"), [TO, least]);
  const execute = (commands: Hex, ...inputs: Hex[]) => read(encode("execute", [commands, inputs, 99n]));

  test("the Universal Router's commands, of which one may pay with what the one before bought", () => {
    const v2 = { path: PATH, limit: 3n, amount: 5n } as const;
    const v3 = { ...v2, fees: [500, 3000], mayBeTaxed: false };
    expect(execute("0x00", input("v3", 5n, 3n, there))).toEqual([{ ...v3, exact: "in" }]);
    expect(execute("0x81", input("v3", 5n, 3n, back))).toEqual([{ ...v3, exact: "out" }]);
    expect(execute("0x08", input("v2", 5n, 3n, PATH))).toEqual([{ ...v2, exact: "in", mayBeTaxed: true }]);
    expect(execute("0x09", input("v2", 5n, 3n, PATH))).toEqual([{ ...v2, exact: "out", mayBeTaxed: false }]);
    const balance = 1n << 255n;
    const mixed = execute("0x0b0008", settle(5n), input("v3", 5n, 0n, feePath(A, 500, B)), input("v2", balance, 3n, [B, C])); // biome-ignore format: one call
    expect(mixed.map(({ amount, limit }) => [amount, limit])).toEqual([[5n, null], [null, 3n]]); // biome-ignore format: one call
    expect(execute("0x000c", input("v3", 5n, 0n, there), settle(4n))).toEqual([{ ...v3, exact: "in", limit: 4n }]);
    expect(execute("0x00060c", input("v3", 5n, 0n, there), "0x", settle(4n))).toMatchObject([{ limit: null }]);
    // V4 and plans within the plan are not read: they may feed the others.
    for (const other of ["0x0010", "0x0021"] as const) expect(execute(other, input("v3", 5n, 3n, there), "0x")).toEqual([]); // biome-ignore format: a line
    expect(execute("0x0000", input("v3", 5n, 3n, there))).toEqual([]);
  });

  test("however V3's and the Universal Router's are changed, they are read within their bounds", () => {
    const calls = [
      encode("multicall", [[encode("exactInput", [[there, TO, 99n, 5n, 3n]])]]),
      encode("execute", ["0x0008", [input("v3", 5n, 3n, there), input("v2", 5n, 3n, PATH)], 99n]),
    ].map((call) => Buffer.from(call.slice(2), "hex"));
    fc.assert(
      fc.property(fc.constantFrom(...calls), fc.nat(), fc.nat(255), fc.nat(), (call, at, byte, cut) => {
        const changed = Buffer.from(call);
        changed[4 + (at % (call.length - 4))] = byte;
        for (const { path, fees } of read(`0x${changed.subarray(0, 4 + (cut % call.length)).toString("hex")}`)) {
          expect(path.length).toBeLessThanOrEqual(MAX_PATH);
          for (const token of path) expect(token).toMatch(/^0x[0-9a-f]{40}$/);
          if (fees) expect(fees).toHaveLength(path.length - 1);
        }
      }),
    );
  });
});
