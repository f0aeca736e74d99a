import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pad, toEventSelector } from "viem";
import { mined, sampleTransaction, tryRule } from "../cli/tryRule.ts";

const rule = await tryRule(fileURLToPath(new URL("watched-address.ts", import.meta.url)));
const watched = "0x28c6c06298d514db089934071355e5743bf21d60";
const other = `0x${"02".repeat(20)}` as const;
const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const token = (...topics: string[]) =>
  sampleTransaction(mined({ logs: [{ address: `0x${"cc".repeat(20)}`, topics, data: "0x", logIndex: "0x0" }] }));
const tags = (...transactions: Parameters<typeof rule.run>[0]) =>
  rule.run(transactions).verdicts.map((verdict) => verdict.tags.join());

test("watched-address declares its address as a parameter", () => {
  expect(rule.manifest.parameters).toEqual({
    watched: { type: "address", default: watched, description: "the address to watch" },
  });
});

test("watched-address finds senders and recipients", () => {
  const from = sampleTransaction({ from: watched });
  const to = sampleTransaction({ to: watched });
  expect(tags(from, to, sampleTransaction({ to: null }), sampleTransaction())).toEqual(["sender", "recipient", "", ""]);
});

test("watched-address finds both sides of a token transfer, once a transaction", () => {
  const out = token(TRANSFER, pad(watched), pad(other));
  const into = token(TRANSFER, pad(other), pad(watched));
  const elsewhere = token(TRANSFER, pad(other), pad(other));
  const approval = token(toEventSelector("Approval(address,address,uint256)"), pad(watched), pad(watched));
  const unindexed = token(TRANSFER);
  expect(tags(out, into, elsewhere, approval, unindexed)).toEqual(["token-out", "token-in", "", "", ""]);
  expect(rule.run([token(TRANSFER, pad(watched), pad(watched))]).verdicts[0]!.alerts.length).toBe(1);
});
