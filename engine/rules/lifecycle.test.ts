import { describe, expect, test } from "vitest";
import { RULE_STATES, type RuleState } from "../control/schema.ts";
import { ACTIONS, act, type Life, RuleConflict, runningVersions, uploaded } from "./lifecycle.ts";

const life = (state: RuleState, liveVersion: number | null, shadowVersion: number | null, newestVersion = 2): Life => ({
  state,
  newestVersion,
  liveVersion,
  shadowVersion,
  reason: null,
});
/** One rule in each state, with two versions. */
const RULES: Record<RuleState, Life> = {
  draft: life("draft", null, null),
  shadow: life("shadow", null, 2),
  live: life("live", 1, 2),
  disabled: life("disabled", 1, 2),
  quarantined: life("quarantined", 1, null),
  throttled: life("throttled", 1, 2),
};
/** `state live/shadow`, or why not. */
const show = ({ state, liveVersion, shadowVersion }: Life) => `${state} ${liveVersion ?? "-"}/${shadowVersion ?? "-"}`;
const tried = (work: () => Life): string => {
  try {
    return show(work());
  } catch (error) {
    if (!(error instanceof RuleConflict)) throw error;
    return "refused";
  }
};

test.each([
  ["enable", "live 2/-", "shadow -/2", "live 1/2", "live 1/2", "refused", "refused"],
  ["disable", "disabled -/-", "disabled -/2", "disabled 1/2", "disabled 1/2", "disabled 1/-", "disabled 1/2"],
  ["quarantine", "refused", "quarantined -/2", "quarantined 1/2", "refused", "quarantined 1/-", "refused"],
  ["throttle", "refused", "throttled -/2", "throttled 1/2", "refused", "refused", "throttled 1/2"],
  ["release", "refused", "refused", "refused", "refused", "live 1/-", "live 1/2"],
  ["promote", "refused", "live 2/-", "live 2/-", "refused", "refused", "refused"],
  ["rollback", "refused", "refused", "live 1/2", "live 1/2", "live 1/-", "live 1/2"],
] as const)("%s from each state", (action, ...expected) => {
  expect(RULE_STATES.map((state) => tried(() => act("a", RULES[state], action, { version: 1 })))).toEqual(expected);
  expect(ACTIONS).toContain(action);
});

describe("an upload", () => {
  const states = [undefined, ...RULE_STATES.map((state) => RULES[state])];
  test.each([
    ["live", "live 3/-", "live 3/-", "live 3/2", "live 3/2", "disabled 3/2", "quarantined 3/-", "throttled 3/2"],
    [
      "shadow",
      "shadow -/3",
      "shadow -/3",
      "shadow -/3",
      "live 1/3",
      "disabled 1/3",
      "quarantined 1/3",
      "throttled 1/3",
    ],
    ["draft", "draft -/-", "draft -/-", "shadow -/2", "live 1/2", "disabled 1/2", "quarantined 1/-", "throttled 1/2"],
  ] as const)("that asks for %s: new, and in each state", (wish, ...expected) => {
    expect(states.map((rule) => tried(() => uploaded("a", rule, 3, wish)))).toEqual(expected);
  });

  test("of the version on trial goes live, and its trial is over; the live version is not tried beside itself", () => {
    expect(show(uploaded("a", RULES.live, 2, "live"))).toBe("live 2/-");
    expect(() => uploaded("a", RULES.live, 1, "shadow")).toThrow("it is the live one, expected another module");
  });
});

test("a rule that is stopped says why until it runs again", () => {
  const stopped = act("a", RULES.live, "quarantine", { reason: "7 traps in 10 evaluations" });
  expect(stopped.reason).toBe("7 traps in 10 evaluations");
  expect(runningVersions(stopped)).toEqual([]);
  const again = act("a", stopped, "release");
  expect(again.reason).toBeNull();
  expect(runningVersions(again)).toEqual([
    { version: 1, shadow: false },
    { version: 2, shadow: true },
  ]);
});

test("a throttled rule stays in the rule set", () => {
  expect(runningVersions(act("a", RULES.live, "throttle"))).toEqual([
    { version: 1, shadow: false, throttled: true },
    { version: 2, shadow: true, throttled: true },
  ]);
  expect(show(act("a", RULES.live, "throttle", { version: 2 }))).toBe("live 1/-"); // the greedy trial ends alone
});

test("a version on trial that fails beside a live one ends alone; one that is tried alone is the rule", () => {
  const reason = "version 2: 7 traps in 10 evaluations";
  const ended = act("a", RULES.live, "quarantine", { version: 2, reason });
  expect([show(ended), ended.reason]).toEqual(["live 1/-", reason]);
  expect(uploaded("a", ended, 3, "shadow").reason).toBeNull();
  expect(show(act("a", RULES.live, "quarantine", { version: 1 }))).toBe("quarantined 1/2");
  expect(show(act("a", RULES.shadow, "quarantine", { version: 2 }))).toBe("quarantined -/2");
});

test("a rollback to a version that is not there says which are; one to the version on trial ends its trial", () => {
  for (const version of [0, 3, 1.5, undefined])
    expect(() => act("a", RULES.live, "rollback", { version })).toThrow(
      `there is no version ${version}, expected 1 to 2`,
    );
  expect(show(act("a", RULES.live, "rollback", { version: 2 }))).toBe("live 2/-");
});
