import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mined, sampleTransaction, tryRule } from "../cli/tryRule.ts";

const rule = await tryRule(fileURLToPath(new URL("failed-router-call.ts", import.meta.url)));
const uniswap = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d";
const fork = `0x${"f0".repeat(20)}`;
const failed = mined({ status: "0x0", gasUsed: "0x5208", effectiveGasPrice: "0x3b9aca00" });

test("failed-router-call reports reverted calls to known routers, with what they cost", () => {
  const { verdicts } = rule.run([
    sampleTransaction({ to: uniswap, input: "0x12345678", ...failed }),
    sampleTransaction({ to: uniswap, input: "0x12345678", ...mined() }),
    sampleTransaction({ to: uniswap, input: "0x12345678" }),
  ]);
  expect(verdicts.map(({ alerts }) => alerts)).toEqual([
    [`low: call to Uniswap V2 Router ${uniswap} failed, 0.000021 paid for gas`], // 21,000 × 1 gwei
    [],
    [],
  ]);
  expect(verdicts.map(({ candidate }) => candidate)).toEqual([true, false, false]);
});

test("failed-router-call knows a swap by its selector, whatever the router", () => {
  const selectors = ["0x7ff36ab5", "0x38ed1739", "0x414bf389", "0x3593564c", "0xa9059cbb", "0x7ff36a", "0x"];
  const { verdicts } = rule.run(selectors.map((input) => sampleTransaction({ to: fork, input, ...failed })));
  expect(verdicts.map(({ tags }) => tags.length)).toEqual([1, 1, 1, 1, 0, 0, 0]);
  expect(verdicts[0]!.alerts[0]).toContain(`a router ${fork}`);
});

test("failed-router-call looks at failed creations without mistaking them", () => {
  const { verdicts } = rule.run([sampleTransaction({ to: null, input: "0x60806040", ...failed })]);
  expect(verdicts[0]).toMatchObject({ candidate: true, alerts: [], failure: null });
});
