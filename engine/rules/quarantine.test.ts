import { expect, test, vi } from "vitest";
import { createLog } from "../ops/log.ts";
import { createBreaker } from "./breaker.ts";
import type { Catalogue, ChangeOptions, RuleInfo } from "./catalogue.ts";
import { createQuarantineGuard } from "./quarantine.ts";

const log = createLog({ level: "silent", secrets: [] });

function guarded(rule: Partial<RuleInfo>, fails = false) {
  const info = { state: "live", liveVersion: 2, shadowVersion: null, ...rule } as RuleInfo;
  const changes: [string, string, ChangeOptions][] = [];
  const catalogue: Pick<Catalogue, "get" | "change"> = {
    get: (name) => (name === "a" ? info : undefined),
    change: vi.fn(async (name, action, options) => {
      if (fails) throw new Error("the store is away");
      changes.push([name, action, options]);
      return info;
    }),
  };
  const breaker = createBreaker({ errors: 2, evaluations: 4 });
  return { guard: createQuarantineGuard({ catalogue, breaker, log }), changes, catalogue };
}

const failing = { rule: "a", version: 2, evaluations: 4, traps: 2 };

test("a rule that fails too often is taken out, with the reason", async () => {
  const { guard, changes } = guarded({});
  guard.observe([{ rule: "a", version: 2, evaluations: 4, traps: 1 }]);
  await guard.settled();
  expect(changes).toEqual([]);
  guard.observe([failing]);
  await guard.settled();
  expect(changes).toEqual([
    ["a", "quarantine", { by: "engine", version: 2, reason: expect.stringMatching(/^version 2: Failed on 2 of/) }],
  ]);
});

test("one that ended its thread is taken out at once", async () => {
  const { guard, changes } = guarded({ liveVersion: 1, shadowVersion: 2 });
  guard.take({ rule: "a", version: 2, reason: "its thread did not answer" });
  await guard.settled();
  expect(changes).toHaveLength(1);
});

test.each([
  ["a version that was replaced", { liveVersion: 3 }],
  ["a rule that is quarantined by now", { state: "quarantined" as const }],
])("%s is left alone", async (_, rule) => {
  const { guard, changes } = guarded(rule);
  guard.observe([failing]);
  guard.take({ rule: "unknown", version: 1, reason: "" });
  await guard.settled();
  expect(changes).toEqual([]);
});

test("while the control store is away it goes on counting, and takes the rule out when it fails again", async () => {
  const { guard, catalogue } = guarded({}, true);
  guard.observe([failing]);
  await guard.settled();
  guard.observe([failing]);
  await guard.settled();
  expect(catalogue.change).toHaveBeenCalledTimes(2);
});
