import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  maxUint256,
  numberToHex,
  parseAbi,
  size,
} from "viem";
import { describe, expect, test } from "vitest";
import { idOf, readAbi } from "../../condition/abi/items.ts";
import { keccak256 } from "../../condition/abi/keccak.ts";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../../frame/writeFrame.ts";
import { readLines } from "../../source/recording.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { CALL_LIMITS, type Call, callsOf } from "./calls.ts";
import { CONTAINERS, FUNCTIONS } from "./functions.ts";

const MAINNET = fileURLToPath(new URL("../../../../shared/data/mainnet.ndjson.gz", import.meta.url));
const there = existsSync(MAINNET);
if (!there) console.warn(`Calls of mainnet transactions are not tested: "${MAINNET}" is not there`);

const abi = parseAbi([
  "function approve(address spender, uint256 amount)",
  "function transfer(address to, uint256 amount)",
  "function unknownThing(address a, bytes b, bytes c)",
  ...(Object.values(CONTAINERS).map(({ signature }) => signature) as ["function multicall(bytes[] data)"]),
]);
// viem's types know one of the functions above; the others are called by their names and arguments all the same
const encode = encodeFunctionData as (call: { abi: unknown; functionName: string; args: readonly unknown[] }) => Hex;
const call = (functionName: string, ...args: unknown[]): Hex => encode({ abi, functionName, args });

const [token, safe, spender, multicall] = ["a1", "a2", "a3", "a4"].map((byte) => `0x${byte.repeat(20)}` as Hex);
const approve = call("approve", spender, maxUint256);
const transfer = call("transfer", spender, 5n);
const ROUTER = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af";

const writer = createFrameWriter();

function callsIn(input: string, given: Partial<TransactionRecord> = {}) {
  writer.reset();
  writeFrame(writer, transactionOf([], { to: multicall, input, ...given }));
  return callsOf(writer, 0);
}

/** What a reader sees of it: indented names. */
const outline = (calls: readonly Call[]): string[] =>
  calls.map(({ depth, name, selector, to }) => `${"  ".repeat(depth)}${name ?? selector} @${to?.slice(2, 4) ?? "?"}`);

test("selectors are the hashes of the signatures beside them", () => {
  for (const [selector, { signature }] of Object.entries(CONTAINERS))
    expect([signature, selector]).toEqual([signature, idOf(readAbi([signature]).items[0]!)]);
  for (const [selector, signature] of Object.entries(FUNCTIONS))
    expect([signature, selector]).toEqual([signature, keccak256(Buffer.from(signature)).slice(0, 10)]);
});

describe("callsOf()", () => {
  test("a plain call, a transfer of the coin, a creation", () => {
    const plain = callsIn(approve, { to: token!, value: "0x5" });
    expect(plain).toEqual({
      truncated: false,
      calls: [
        {
          ...{
            parent: -1,
            depth: 0,
            kind: "call",
            to: token,
            selector: "0x095ea7b3",
            name: "approve(address,uint256)",
          },
          ...{ value: 5n, offset: 0, length: 68, provenance: "abi" },
        },
      ],
    });
    expect(callsIn("0x").calls).toMatchObject([{ selector: null, name: null, length: 0 }]);
    expect(callsIn(approve, { to: null }).calls).toMatchObject([{ to: null, selector: null, name: null, length: 68 }]);
  });

  test("multicalls: what is called, with what, and where it lies", () => {
    const inner = call("multicall", [transfer, approve]);
    const input = call("aggregate3Value", [
      { target: token, allowFailure: false, value: 0n, callData: approve },
      { target: safe, allowFailure: true, value: 7n, callData: inner },
    ]);
    const { calls, truncated } = callsIn(input);
    expect(outline(calls)).toEqual([
      "aggregate3Value((address,bool,uint256,bytes)[]) @a4",
      "  approve(address,uint256) @a1",
      "  multicall(bytes[]) @a2",
      "    transfer(address,uint256) @a2",
      "    approve(address,uint256) @a2",
    ]);
    expect(calls.map(({ parent }) => parent)).toEqual([-1, 0, 0, 2, 2]);
    expect(calls.map(({ value }) => value)).toEqual([0n, 0n, 7n, null, null]);
    expect(calls.map(({ kind }) => kind)).toEqual(["call", "call", "call", "delegatecall", "delegatecall"]);
    const data = calls.map(({ offset, length }) => `0x${input.slice(2 + offset * 2, 2 + (offset + length) * 2)}`);
    expect(data).toEqual([input, approve, inner, transfer, approve]);
    expect(truncated).toBe(false);
  });

  test("a Safe that runs MultiSend", () => {
    const part = (operation: number, to: Hex, value: bigint, data: Hex): Hex =>
      concat([numberToHex(operation, { size: 1 }), to, numberToHex(value, { size: 32 }), numberToHex(size(data), { size: 32 }), data]); // biome-ignore format: one part
    const packed = concat([part(0, token!, 0n, approve), part(1, safe!, 9n, "0x")]);
    const exec = call(
      "execTransaction",
      multicall,
      1n,
      call("multiSend", packed),
      1,
      0n,
      0n,
      0n,
      token,
      token,
      "0x1234",
    );
    const { calls } = callsIn(exec, { to: safe! });
    expect(outline(calls)).toEqual([
      "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes) @a2",
      "  multiSend(bytes) @a4",
      "    approve(address,uint256) @a1",
      "    null @a2",
    ]);
    expect(calls.map(({ kind, value }) => [kind, value])).toEqual([
      ["call", 0n],
      ["delegatecall", 1n],
      ["call", 0n],
      ["delegatecall", 9n],
    ]);
    const cut = call("multiSend", packed.slice(0, -2) as Hex);
    expect(callsIn(cut)).toMatchObject({ truncated: true, calls: [{}, { name: "approve(address,uint256)" }] });
  });

  test("Universal Router: commands, and a plan within the plan", () => {
    const plan = encodeAbiParameters([{ type: "bytes" }, { type: "bytes[]" }], ["0x0b10", ["0x", "0x"]]);
    const commands = (to: string) =>
      callsIn(call("execute", "0x0a8021", ["0x12", "0x34", plan], 9n), { to }).calls.map(({ depth, kind, name, to }) => [depth, kind, name, to]); // biome-ignore format: one chain
    expect(commands(ROUTER).slice(1)).toEqual([
      [1, "command", "PERMIT2_PERMIT", ROUTER],
      [1, "command", "V3_SWAP_EXACT_IN", ROUTER],
      [1, "command", "EXECUTE_SUB_PLAN", ROUTER],
      [2, "command", "WRAP_ETH", ROUTER],
      [2, "command", "V4_SWAP", ROUTER],
    ]);
    const old = "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b"; // its 0x10 is another
    expect(commands(old).at(-1)).toEqual([2, "command", null, old]);
  });

  test("ERC-4337: what the bundle's accounts are asked to do", () => {
    const batch = call("executeBatch", [token, safe], [approve, "0x"]);
    const op = { sender: safe, nonce: 1n, initCode: "0x", callData: batch, paymasterAndData: "0x", signature: "0x" };
    const fees = { accountGasLimits: `0x${"00".repeat(32)}`, preVerificationGas: 1n, gasFees: `0x${"00".repeat(32)}` };
    const functions = parseAbi([CONTAINERS["0x765e827f"]!.signature as "function handleOps()"]); // entry point 0.7
    const input = encode({ abi: functions, functionName: "handleOps", args: [[{ ...op, ...fees }], token] });
    expect(outline(callsIn(input).calls)).toEqual([
      expect.stringMatching(/^handleOps.* @a4$/),
      "  executeBatch(address[],bytes[]) @a2",
      "    approve(address,uint256) @a1",
      "    null @a2",
    ]);
  });

  test("a proxy's new code, and what it is called with", () => {
    const { calls } = callsIn(call("upgradeToAndCall", spender, transfer));
    expect(outline(calls).slice(1)).toEqual(["  transfer(address,uint256) @a3"]);
  });

  test("among the data of an unknown call it is a guess, and its recipient is not known", () => {
    const { calls } = callsIn(call("unknownThing", token, approve, transfer));
    expect(calls.map(({ depth, name, to, provenance }) => [depth, name, to, provenance])).toEqual([
      [0, null, multicall, "abi"],
      [1, "approve(address,uint256)", null, "guessed"],
      [1, "transfer(address,uint256)", null, "guessed"],
    ]);
  });

  test("there are no more calls than the limit, nor deeper ones", () => {
    const wide = callsIn(call("multicall", Array(1_000).fill(approve)));
    expect([wide.calls.length, wide.truncated]).toEqual([CALL_LIMITS.calls, true]);
    let nested = approve;
    for (let i = 0; i < 12; i++) nested = call("multicall", [nested]);
    const deep = callsIn(nested);
    expect([deep.calls.at(-1)!.depth, deep.truncated]).toEqual([CALL_LIMITS.depth, true]);
  });

  test("hostile offsets: every call lies in the input, its parent before it, and there are no more than the limit", () => {
    const inner = call("multicall", [transfer, approve, approve]);
    const seeds = [
      call("aggregate3", [{ target: token, allowFailure: true, callData: inner }, { target: safe, allowFailure: true, callData: inner }]),
      call("execute", "0x0a8021", ["0x12", "0x34", inner], 9n),
      call("execTransaction", multicall, 1n, call("multiSend", concat(["0x00", token!, numberToHex(0n, { size: 32 }), numberToHex(4n, { size: 32 }), "0x12345678"])), 1, 0n, 0n, 0n, token, token, "0x"),
      call("unknownThing", token, inner, transfer),
    ]; // biome-ignore format: a line each
    const words = fc.constantFrom(
      0n,
      1n,
      4n,
      32n,
      36n,
      64n,
      96n,
      256n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 53n,
      maxUint256,
    );
    const change = fc.record({ at: fc.nat(60), word: words });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(change, { maxLength: 8 }), fc.nat(64), (seed, changes, cut) => {
        const input = Buffer.from(seed.slice(2), "hex");
        for (const { at, word } of changes)
          if (4 + at * 32 + 32 <= input.length)
            input.write(numberToHex(word, { size: 32 }).slice(2), 4 + at * 32, "hex");
        const bytes = input.subarray(0, input.length - cut);
        const { calls } = callsIn(`0x${bytes.toString("hex")}`);
        expect(calls.length).toBeLessThanOrEqual(CALL_LIMITS.calls);
        calls.forEach(({ parent, offset, length, depth }, i) => {
          expect(parent).toBeLessThan(i);
          expect(offset >= 0 && offset + length <= bytes.length).toBe(true);
          expect(depth).toBe(parent < 0 ? 0 : calls[parent]!.depth + 1);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  test.runIf(there)("mainnet: a swap to ETH, a Safe, the Universal Router", async () => {
    const found = new Map<string, readonly Call[]>();
    for await (const line of readLines(MAINNET)) {
      const record = JSON.parse(Buffer.from(line).toString()) as TransactionRecord;
      const { calls } = callsIn(record.input, record);
      if (calls.length > 1) found.set(record.hash, calls);
    }
    const names = (hash: string) => found.get(hash)?.map(({ name, selector }) => (name ?? selector)?.split("(")[0]);
    const toEth = "0x7bef2d089a3403863f08183aeafc5f39e0fc649621e7d3845219afc4df54f866";
    const ofSafe = "0x7f576a2d6bd9d3277c28411c5918fd3ea39409a9e4a7e1d93e71ef8eac16967b";
    const routed = "0xd28f224acb877577720d660b8fe0014e633c8103c0ecbc0718c2ff72b4e8368e";
    expect(names(toEth)).toEqual(["multicall", "exactInputSingle", "unwrapWETH9"]);
    expect(names(ofSafe)).toEqual(["execTransaction", "0x37dfbc2b"]);
    expect(names(routed)).toEqual(["execute", "PERMIT2_PERMIT", "V2_SWAP_EXACT_IN", "UNWRAP_WETH"]);
    expect(found.size).toBe(96);
  });
});
