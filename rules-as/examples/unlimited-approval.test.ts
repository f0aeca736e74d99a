import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { encodeFunctionData, maxUint256, parseAbi } from "viem";
import { sampleTransaction, tryRule } from "../cli/tryRule.ts";

const rule = await tryRule(fileURLToPath(new URL("unlimited-approval.ts", import.meta.url)));
const spender = `0x${"5e".repeat(20)}` as const;
const owner = `0x${"0e".repeat(20)}` as const;
const signature = `0x${"33".repeat(32)}` as const;
const abi = parseAbi([
  "function approve(address,uint256)",
  "function increaseAllowance(address,uint256)",
  "function permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
  "function transfer(address,uint256)",
]);
const dai = parseAbi(["function permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)"]);

const permit = (value: bigint) =>
  encodeFunctionData({ abi, functionName: "permit", args: [owner, spender, value, 1n, 27, signature, signature] });
const daiPermit = (allowed: boolean) =>
  encodeFunctionData({ abi: dai, functionName: "permit", args: [owner, spender, 1n, 1n, allowed, 27, signature, signature] });
const alerts = (...inputs: string[]) =>
  rule.run(inputs.map((input) => sampleTransaction({ input }))).verdicts.map((verdict) => verdict.alerts);

test("unlimited-approval reports 2^256 - 1 and nothing less", () => {
  const approve = (value: bigint) => encodeFunctionData({ abi, functionName: "approve", args: [spender, value] });
  const increase = encodeFunctionData({ abi, functionName: "increaseAllowance", args: [spender, maxUint256] });
  const found = [`medium: unlimited approval of 0x${"bb".repeat(20)} to ${spender}`];
  expect(alerts(approve(maxUint256), approve(maxUint256 - 1n), approve(0n), increase)).toEqual([found, [], [], found]);
  expect(alerts(permit(maxUint256), permit(5n), daiPermit(true), daiPermit(false))).toEqual([found, [], found, []]);
});

test("unlimited-approval ignores other functions and inputs that are cut short", () => {
  const transfer = encodeFunctionData({ abi, functionName: "transfer", args: [spender, maxUint256] });
  const short = encodeFunctionData({ abi, functionName: "approve", args: [spender, maxUint256] }).slice(0, -2);
  expect(alerts(transfer, short, "0x095ea7b3", "0x095ea7", "0x")).toEqual([[], [], [], [], []]);
});
