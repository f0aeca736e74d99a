import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { mined, sampleTransaction, type TriedRule, tryRule } from "../cli/tryRule.ts";

let rule: TriedRule;
beforeAll(async () => {
  rule = await tryRule(fileURLToPath(new URL("./guests/lists.ts", import.meta.url)));
});

const [A, B] = [`0x${"aa".repeat(20)}`, `0x${"bb".repeat(20)}`];
const TOPIC = `0x${"0e".repeat(32)}`;
const log = (topics: string[]) => ({ address: A, topics, data: "0x", logIndex: "0x0" });

test("the manifest has each list once, in the order in which the rule declares them, and those of its filter behind", () => {
  expect(rule.manifest.lists).toEqual([
    { name: "sanctioned", bytes: 20 },
    { name: "events", bytes: 32 },
    { name: "calls", bytes: 4 },
    { name: "friends", bytes: 20 },
  ]);
});

test("it asks what is on its lists; what is not given is empty", () => {
  const transactions = [
    sampleTransaction({ to: B }),
    sampleTransaction({ to: A, input: `0x12345678${B.slice(2).padStart(64, "0")}` }),
    sampleTransaction({ ...mined({ logs: [log([TOPIC]), log([]), log([`0x${"0f".repeat(32)}`])] }), to: null }),
    sampleTransaction({ from: B }),
  ];
  const said = (lists?: Parameters<TriedRule["run"]>[1]) =>
    rule.run(transactions, lists).verdicts.map(({ alerts, failure }) => failure ?? alerts[0]?.slice(6) ?? null);
  expect(said()).toEqual(["false false false 0", "false false false 0", "false false false 0", "false false false 0"]);
  expect(said({ sanctioned: `${B}\n`, events: TOPIC, calls: "0x12345678", friends: B })).toEqual([
    "true false false 0",
    "false true true 0",
    "false false false 1",
    null, // the filter keeps it out
  ]);
  expect(() => rule.run(transactions, { sanctoined: B })).toThrow(
    'Cannot give the rule "lists" the list "sanctoined": expected one of sanctioned, events, calls, friends. Did you mean "sanctioned"?',
  );
  expect(() => rule.run(transactions, { calls: A })).toThrow(
    'Cannot read the list "calls": line 1: Expected a selector',
  );
});
