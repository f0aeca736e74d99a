import { createRequire } from "node:module";
import fc from "fast-check";
import { type Abi, encodeFunctionData, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { writeFrame } from "../../frame/writeFrame.ts";
import { MAX_PATH, readRouterSwap } from "./routerSwap.ts";

const { abi } = createRequire(import.meta.url)("@uniswap/v2-periphery/build/UniswapV2Router02.json") as { abi: Abi };
const address = (n: number): Hex => `0x${n.toString(16).padStart(40, "b")}`;
const PATH = [address(1), address(2), address(3)];
const TO = address(9);

function read(input: Hex, value = 0n) {
  const writer = createFrameWriter();
  const hash = `0x${"1".repeat(64)}`;
  writeFrame(writer, { chainId: 1, hash, from: TO, to: TO, nonce: "0x0", gas: "0x0", value: `0x${value.toString(16)}`, input }); // biome-ignore format: a record
  return readRouterSwap({ bytes: writer.bytes, u32: writer.u32 }, 0);
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
    expect(call(name, [...args], value)).toEqual({ path: PATH, exact: "in", mayBeTaxed: false, ...expected });
  });

  test("anything else is none", () => {
    expect(read("0x")).toBeUndefined();
    expect(call("addLiquidityETH", [address(1), 1n, 1n, 1n, TO, 9n])).toBeUndefined();
    expect(call("swapExactTokensForTokens", [0n, 3n, PATH, TO, 99n])).toBeUndefined();
    expect(call("swapExactTokensForTokens", [5n, 3n, [address(1)], TO, 99n])).toBeUndefined();
    const long = Array.from({ length: MAX_PATH + 1 }, (_, i) => address(i));
    expect(call("swapExactTokensForTokens", [5n, 3n, long, TO, 99n])).toBeUndefined();
  });

  test("however its input is cut or changed, it is read within its bounds", () => {
    const whole = encodeFunctionData({ abi, functionName: "swapExactTokensForTokens", args: [5n, 3n, PATH, TO, 99n] });
    for (let length = 2; length < whole.length; length += 2) {
      const found = read(whole.slice(0, length) as Hex);
      // The last words are the path's: without any of its bytes there is none.
      expect(found).toBeUndefined();
    }
    const bytes = Buffer.from(whole.slice(2), "hex");
    fc.assert(
      fc.property(fc.integer({ min: 4, max: bytes.length - 1 }), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        const found = read(`0x${changed.toString("hex")}`);
        if (found) for (const token of found.path) expect(token).toMatch(/^0x[0-9a-f]{40}$/);
      }),
    );
  });
});
