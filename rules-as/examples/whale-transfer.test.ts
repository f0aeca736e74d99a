import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mined, sampleTransaction, tryRule } from "../cli/tryRule.ts";

const rule = await tryRule(fileURLToPath(new URL("whale-transfer.ts", import.meta.url)));
const ether = (amount: number) => `0x${(BigInt(amount * 1e6) * 10n ** 12n).toString(16)}`;

test("whale-transfer reports by size, from 100 on", () => {
  const { verdicts } = rule.run(
    [99.999999, 100, 999.5, 1000, 1234567.25].map((amount) => sampleTransaction({ value: ether(amount) })),
  );
  expect(verdicts.map(({ alerts }) => alerts.map((alert) => alert.split(" from ")[0]))).toEqual([
    [],
    ["medium: 100 ETH"],
    ["medium: 999.5 ETH"],
    ["high: 1000 ETH"],
    ["high: 1234567.25 ETH"],
  ]);
  expect(verdicts.map(({ tags }) => tags)).toEqual([[], ["whale"], ["whale"], ["whale"], ["whale"]]);
  expect(verdicts[0]!.candidate).toBe(false); // the host's filter, not the rule
});

test("whale-transfer names both sides, also of a contract creation", () => {
  const { verdicts } = rule.run([
    sampleTransaction({ value: ether(100) }),
    sampleTransaction({ value: ether(100), to: null }),
  ]);
  expect(verdicts[0]!.alerts).toEqual([`medium: 100 ETH from 0x${"aa".repeat(20)} to 0x${"bb".repeat(20)}`]);
  expect(verdicts[1]!.alerts).toEqual([`medium: 100 ETH from 0x${"aa".repeat(20)} to a new contract`]);
});

test("whale-transfer gives the amount to the last wei, and does not call every coin ether", () => {
  const value = `0x${(101n * 10n ** 18n + 1n).toString(16)}`;
  const { verdicts } = rule.run([sampleTransaction({ value }), sampleTransaction({ value, chainId: 137 })]);
  expect(verdicts.map(({ alerts }) => alerts[0]!.split(" from ")[0])).toEqual([
    "medium: 101.000000000000000001 ETH",
    "medium: 101.000000000000000001 of the coin of chain 137",
  ]);
});

test("whale-transfer is silent when the value went back", () => {
  const { verdicts } = rule.run([
    sampleTransaction({ value: ether(5000), ...mined({ status: "0x0" }) }),
    sampleTransaction({ value: ether(5000), ...mined() }),
  ]);
  expect(verdicts.map(({ alerts }) => alerts.length)).toEqual([0, 1]);
});
