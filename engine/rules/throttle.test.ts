import { expect, test, vi } from "vitest";
import { createLog } from "../ops/log.ts";
import type { Catalogue, RuleChange, RuleInfo } from "./catalogue.ts";
import { createThrottle, type ThrottleOptions } from "./throttle.ts";

const COOL_DOWN = 60_000;
const SINCE = 1_000_000;

function throttled(states: Readonly<Record<string, RuleInfo["state"]>>, fails = false) {
  const rules = Object.entries(states).map(
    ([name, state]) => ({ name, owner: "me", state, since: new Date(SINCE), reason: "greedy" }) as RuleInfo,
  );
  const made: RuleChange[][] = [];
  const catalogue: ThrottleOptions["catalogue"] = {
    get: (name) => rules.find((rule) => rule.name === name),
    list: () => rules,
    countByOwner: () =>
      new Map([["me", { running: 1, throttled: rules.filter(({ state }) => state === "throttled").length }]]),
    changeEach: vi.fn<Catalogue["changeEach"]>(async (changes) => {
      if (fails) throw new Error("the store is away");
      made.push([...changes]);
      return changes.map(({ name }) => name);
    }),
    owners: { quotaOf: () => ({ maxRules: 10, fuelPerSecond: 1 }) },
  };
  let time = SINCE;
  const lines: string[] = [];
  const log = createLog({ stream: { write: (line) => void lines.push(line) } });
  const onThrottled = vi.fn();
  const throttle = createThrottle({ catalogue, log, coolDownMs: COOL_DOWN, onThrottled, now: () => time });
  const clock = (to: number) => {
    time = to;
  };
  return { throttle, catalogue, made, onThrottled, clock, log: () => lines.join("") };
}

const batch = (...rules: string[]) => ({
  rules: rules.map((rule) => ({
    ...{ rule, version: 3, evaluations: 1, matches: 0, traps: 0, fuel: 1_000, skipped: 0, added: 0, dropped: 0 },
  })),
  minutes: new Map([[1, 1]]),
  transactions: 1,
});

test("greedy rules are throttled in one change, with the reason, and said once", async () => {
  const { throttle, made, onThrottled, log } = throttled({ a: "live", b: "shadow", c: "disabled" });
  throttle.observe(batch("a", "c"));
  throttle.observe(batch("a")); // ran before the change was made
  await throttle.settled();
  expect(made).toEqual([[{ name: "a", action: "throttle", version: 3, reason: expect.any(String) }]]);
  expect(made[0]![0]!.reason).toMatch(/^version 3: The rules of "me" used 1000 fuel/);
  expect(onThrottled.mock.calls).toEqual([["a"]]);
  expect(log()).toContain('"event":"rule_throttled"');
});

test("they are released once they have waited, and not before", async () => {
  const { throttle, made, clock } = throttled({ a: "throttled", b: "live", c: "quarantined" });
  clock(SINCE + COOL_DOWN - 1);
  throttle.release();
  await throttle.settled();
  expect(made).toEqual([]);
  clock(SINCE + COOL_DOWN);
  throttle.release();
  throttle.release();
  await throttle.settled();
  expect(made).toEqual([[{ name: "a", action: "release", from: "throttled" }]]);
});

test("while the control store is away it goes on counting, and tries again", async () => {
  const { throttle, catalogue, clock, log } = throttled({ a: "live", b: "throttled" }, true);
  for (let i = 0; i < 2; i++) {
    throttle.observe(batch("a"));
    await throttle.settled();
  }
  clock(SINCE + COOL_DOWN);
  throttle.release();
  await throttle.settled();
  expect(catalogue.changeEach).toHaveBeenCalledTimes(3);
  expect(log()).toContain("the store is away");
});
