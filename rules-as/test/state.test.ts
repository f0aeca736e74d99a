import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { mined, sampleTransaction, type TriedRule, tryRule } from "../cli/tryRule.ts";

let rule: TriedRule;
beforeAll(async () => {
  rule = await tryRule(fileURLToPath(new URL("./guests/state.ts", import.meta.url)));
});

const START = 1_700_000_000_000;
const tx = (nonce: number, second: number, more: object = {}) =>
  sampleTransaction({ nonce: `0x${nonce.toString(16)}`, seenAt: START + second * 1_000, value: "0x10", ...more });

test("the manifest declares it in the order in which the rule does", () => {
  const { state = [] } = rule.manifest;
  expect(state.map(({ name }) => name)).toEqual([
    "seen",
    "net",
    "share",
    "received",
    "volume",
    "busy",
    "by-hash",
    "confirmed",
  ]);
  expect(state[4]).toEqual({
    name: "volume",
    kind: "window",
    key: "address",
    value: "u256",
    seconds: 3600,
    buckets: 60,
  });
  expect(state[6]).toEqual({ name: "by-hash", kind: "counter", key: "bytes32", value: "u64" });
  expect(state.filter(({ mined }) => mined).map(({ name }) => name)).toEqual(["confirmed"]);
});

test("each transaction finds what those before it wrote, but for what one wrote that failed", () => {
  const other = { from: `0x${"cc".repeat(20)}`, hash: `0x${"33".repeat(32)}` };
  const transactions = [tx(0, 0), tx(13, 1), tx(1, 30), tx(0, 31, other), tx(7, 62), tx(8, 4_000)];
  const { verdicts } = rule.run(transactions);
  // seen, volume, busy, share, received by the recipient, net, by hash; then read again: seen, volume, busy of the recipient
  expect(verdicts.map(({ alerts, failure }) => failure ?? alerts[0])).toEqual([
    "info: 1 16 1 0.5 16 -1 1 1 16 0",
    "unlucky at state.ts:26:23",
    "info: 2 32 2 1.0 32 -2 2 2 32 0",
    "info: 1 16 1 0.5 48 -1 1 1 16 0",
    "info: 3 48 2 1.5 64 -3 3 0 48 0", // of busy's minute the first transaction is out; then seen is set to 0
    "info: 1 16 1 2.0 80 -4 4 1 16 0",
  ]);
  expect(rule.run(transactions).verdicts).toEqual(verdicts); // a run begins without a past
});

test("what is of mined transactions only does not count the sightings before", () => {
  const { verdicts } = rule.run([tx(99, 0), tx(99, 0, mined()), tx(99, 1), tx(99, 1, mined())]);
  expect(verdicts.map(({ alerts, failure }) => failure ?? alerts[0])).toEqual([
    "info: 0 1",
    "info: 2 2",
    "info: 2 3",
    "info: 4 4",
  ]);
});
