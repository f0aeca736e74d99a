import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pad, toEventSelector } from "viem";
import { mined, sampleTransaction, tryRule } from "../cli/tryRule.ts";

const rule = await tryRule(fileURLToPath(new URL("ownership-change.ts", import.meta.url)));
const contract = `0x${"cc".repeat(20)}`;
const before = `0x${"01".repeat(20)}` as const;
const after = `0x${"02".repeat(20)}` as const;
const zero = `0x${"00".repeat(20)}` as const;
const OWNER = toEventSelector("OwnershipTransferred(address,address)");
const ADMIN = toEventSelector("AdminChanged(address,address)");

function alerts(...logs: { topics: string[]; data?: string }[]): string[] {
  const list = logs.map(({ topics, data = "0x" }, i) => ({ address: contract, topics, data, logIndex: `0x${i}` }));
  const { verdicts } = rule.run([sampleTransaction(mined({ logs: list }))]);
  expect(verdicts[0]!.failure).toBeNull();
  return verdicts[0]!.alerts;
}

test("ownership-change reports owners, whether the event indexes them or not", () => {
  const text = `owner of ${contract} changed from ${before} to ${after}`;
  expect(alerts({ topics: [OWNER, pad(before), pad(after)] })).toEqual([`high: ${text}`]);
  expect(alerts({ topics: [OWNER], data: pad(before) + pad(after).slice(2) })).toEqual([`high: ${text}`]);
  expect(alerts({ topics: [OWNER, pad(before)], data: pad(after) })).toEqual([`high: ${text}`]);
});

test("ownership-change takes a first owner lightly, and one that stays", () => {
  expect(
    alerts(
      { topics: [OWNER, pad(zero), pad(after)] },
      { topics: [OWNER, pad(after), pad(after)] },
      { topics: [OWNER], data: "0x" },
    ),
  ).toEqual([
    `low: first owner of ${contract} is ${after}`,
    `low: owner of ${contract} is ${after}, as before`,
    `low: owner of ${contract} is ${zero}, as before`,
  ]);
});

test("ownership-change reports upgrades, admins and roles, one alert a log", () => {
  const role = `0x${"07".repeat(32)}`;
  expect(
    alerts(
      { topics: [toEventSelector("Upgraded(address)"), pad(after)] },
      { topics: [toEventSelector("Transfer(address,address,uint256)"), pad(before), pad(after)] },
      { topics: [ADMIN], data: pad(before) + pad(after).slice(2) },
      { topics: [toEventSelector("RoleGranted(bytes32,address,address)"), role, pad(after), pad(before)] },
    ),
  ).toEqual([
    `high: ${contract} upgraded to ${after}`,
    `high: admin of ${contract} changed from ${before} to ${after}`,
    `medium: ${contract} granted role ${role} to ${after}`,
  ]);
});

test("ownership-change says less, and does not fail, when one transaction has a thousand such logs", () => {
  const logs = Array.from({ length: 1000 }, (_, i) => ({
    address: contract,
    topics: [OWNER, pad(before), pad(after)],
    data: "0x",
    logIndex: `0x${i.toString(16)}`,
  }));
  const [verdict] = rule.run([sampleTransaction(mined({ logs }))]).verdicts;
  expect(verdict).toMatchObject({ failure: null, tags: ["truncated"] });
  expect(verdict!.alerts.length).toBe(24); // 4096 - 24 bytes of room, 160 + 8 an alert
});
