import { expect, test } from "vitest";
import { parseCondition } from "../condition/parseCondition.ts";
import { CONTENT } from "../frame/content.ts";
import type { TransactionRecord } from "../frame/writeFrame.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { ruleKey } from "../rules/ruleKey.ts";
import { manifestSchema } from "../sandbox/parseManifest.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import { createDecoder } from "./decode.ts";
import { createRuleStage } from "./ruleStage.ts";

const transaction = (value: number): TransactionRecord => ({
  chainId: 1,
  hash: `0x${value.toString(16).padStart(64, "0")}`,
  from: `0x${"1".repeat(40)}`,
  to: null,
  nonce: "0x0",
  gas: "0x5208",
  value: `0x${value.toString(16)}`,
  input: "0x",
});

function decoded(...values: number[]) {
  const records = values.map((value, offset) => {
    return { offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(transaction(value))) };
  });
  return createDecoder(createWorld({ chains: [1] }))(packBatch("s", 0, 0, values.length, records));
}

function rule(name: string, version: number, conditions: unknown, trial = false): LiveRule {
  const parsed = parseCondition(conditions);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const manifest = manifestSchema.parse({ name });
  return { name, version, manifest, module: null, condition: parsed.condition, ...(trial && { trial, silent: true }) };
}

/** What each version on trial would change. */
const changes = (rules: readonly LiveRule[], ...batches: number[][]) => {
  const stage = createRuleStage(rules);
  return batches.map((values) => {
    const run = stage(decoded(...values));
    const { alerts, trialChanges: changes } = run;
    expect(alerts.every(({ version }) => version === 1)).toBe(true);
    const which = (transactions: readonly number[] = []) => transactions.map((i) => values[i]);
    return stage
      .countsOf(run)
      .filter(({ added, dropped }) => added + dropped > 0)
      .map(({ rule, version, matches, added, dropped }) => {
        const change = changes.get(ruleKey({ name: rule, version }))!;
        expect([change.added.length, change.dropped.length]).toEqual([added, dropped]);
        return [rule, version, matches, which(change.added), which(change.dropped)];
      });
  });
};

test("a version on trial raises nothing, and says what it would add and drop", () => {
  const rules = [
    rule("a", 1, { value_gte: 10 }),
    rule("a", 2, { value_in: [5, 6, 20] }, true),
    rule("b", 1, { value: 5 }),
  ];
  expect(changes(rules, [5, 6, 10, 20, 30], [20], [1], [40])).toEqual([
    [["a", 2, 3, [5, 6], [10, 30]]],
    [],
    [],
    [["a", 2, 0, [], [40]]],
  ]);
});

test("a throttled rule is shown nothing, nor compared, and what it would have been shown is counted", () => {
  const [live, trial] = [rule("a", 1, { value_gte: 10 }), rule("a", 2, { value_in: [5, 6, 20] }, true)];
  const module = { ...rule("b", 1, { value_gte: 20 }), module: {} as WebAssembly.Module };
  const stateful = { ...module, name: "c", manifest: manifestSchema.parse({ name: "c", state: [COUNTER] }) };
  const rules = [live, trial, module, stateful].map((each) => ({ ...each, throttled: true }));
  const stage = createRuleStage([...rules, rule("d", 1, { value: 5 })], { leavesOrdered: true });
  const run = stage(decoded(5, 6, 10, 20, 30));
  const { alerts, left } = run;
  expect(
    stage
      .countsOf(run)
      .map(({ rule, version, evaluations, matches, skipped }) => [`${rule}@${version}`, evaluations, matches, skipped]),
  ).toEqual([
    ["a@1", 0, 0, 3],
    ["a@2", 0, 0, 3],
    ["b@1", 0, 0, 2],
    ["c@1", 0, 0, 2],
    ["d@1", 1, 1, 0],
  ]);
  expect([alerts.map(({ rule }) => rule), left]).toEqual([["d"], []]);
});

const COUNTER = { name: "seen", kind: "counter", key: "address", value: "u64" };

test("on trial alone, or beside another rule, there is nothing to compare with", () => {
  expect(changes([rule("a", 2, { value: 5 }, true)], [5])).toEqual([[]]);
  expect(changes([rule("a", 1, { value: 6 }), rule("b", 2, { value: 5 }, true)], [5, 6])).toEqual([[]]);
});
