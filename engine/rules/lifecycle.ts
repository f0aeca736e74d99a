/**
 * The life of a rule. Which of its versions run follows from its state; a version itself never changes.
 *
 *     draft ──▶ shadow ──▶ live ◀──▶ disabled        upload, promote, enable, disable
 *                  └─────────┴─────▶ quarantined     by the engine, when it fails too often; release
 *                            └─────▶ throttled       by the engine, when its owner uses too much fuel; release, by the engine too
 *
 * A version on trial (shadow) runs beside the live one, or alone.
 */
import type { RuleState, SetMember } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";

export interface Life {
  readonly state: RuleState;
  readonly newestVersion: number;
  /** What raises alerts, or would if the rule were not disabled or quarantined. */
  readonly liveVersion: number | null;
  readonly shadowVersion: number | null;
  /** Why it is disabled, quarantined or throttled, or why its version on trial was taken out. */
  readonly reason: string | null;
}

export const ACTIONS = ["enable", "disable", "quarantine", "throttle", "release", "promote", "rollback"] as const;
export type Action = (typeof ACTIONS)[number];
/** What an upload may ask for. */
export const WISHES = ["live", "shadow", "draft"] as const;
export type Wish = (typeof WISHES)[number];

/** From which states what can be done, and what else to do about the others. */
const ALLOWED: Record<Action, { readonly from: readonly RuleState[]; readonly next: string }> = {
  enable: {
    from: ["draft", "live", "shadow", "disabled"],
    next: "Release it: it failed, or its owner used too much fuel",
  },
  disable: { from: ["draft", "shadow", "live", "disabled", "quarantined", "throttled"], next: "" },
  quarantine: { from: ["shadow", "live", "quarantined"], next: "It does not run" },
  throttle: { from: ["shadow", "live", "throttled"], next: "It does not run" },
  release: {
    from: ["quarantined", "throttled"],
    next: "Only what is quarantined or throttled is released; enable what is disabled",
  },
  promote: { from: ["shadow", "live"], next: "Upload a version with ?state=shadow first, and enable the rule" },
  rollback: { from: ["live", "disabled", "quarantined", "throttled"], next: "It was never live: enable or promote it" },
};

const STOPPED = { quarantine: "quarantined", throttle: "throttled" } as const;

/** The rule is not in a state for that. */
export class RuleConflict extends UserError {}

export const canAct = ({ state }: Pick<Life, "state">, action: Action): boolean => ALLOWED[action].from.includes(state);

/**
 * The rule after an action; itself when nothing changes.
 * @param version of a rollback: becomes live again as it was; of a quarantine or throttle: which is to blame, so that a trial ends alone
 * @throws RuleConflict
 */
export function act(
  name: string,
  rule: Life,
  action: Action,
  { version, reason = null }: { version?: number | undefined; reason?: string | null | undefined } = {},
): Life {
  const { from, next } = ALLOWED[action];
  const refuse = (state: string, expected: string, remedy = next): RuleConflict =>
    new RuleConflict(`Cannot ${action} the rule "${name}": ${state}, expected ${expected}`, { next: remedy });
  if (!from.includes(rule.state)) throw refuse(`it is ${rule.state}`, from.join(" or "));
  switch (action) {
    case "enable":
      if (rule.state === "draft") return { ...rule, state: "live", liveVersion: rule.newestVersion };
      return rule.state === "disabled" ? running(rule) : rule;
    case "release":
      return running(rule);
    case "disable":
      return rule.state === "disabled" ? rule : { ...rule, state: "disabled", reason };
    case "quarantine":
    case "throttle": {
      const stopped = STOPPED[action];
      if (rule.state === stopped) return rule;
      if (version !== undefined && version === rule.shadowVersion && rule.liveVersion !== null)
        return { ...rule, shadowVersion: null, reason };
      return { ...rule, state: stopped, reason };
    }
    case "promote":
      if (rule.shadowVersion === null) throw refuse("no version of it is on trial", "one in shadow");
      return { ...rule, state: "live", liveVersion: rule.shadowVersion, shadowVersion: null, reason: null };
    case "rollback":
      if (version === undefined || !Number.isInteger(version) || version < 1 || version > rule.newestVersion)
        throw refuse(
          `there is no version ${version}`,
          `1 to ${rule.newestVersion}`,
          "GET /api/v1/rules/NAME/versions lists them",
        );
      if (rule.liveVersion === null) throw refuse("it was never live", "a live rule");
      return {
        ...running(rule),
        state: "live",
        liveVersion: version,
        shadowVersion: rule.shadowVersion === version ? null : rule.shadowVersion,
      };
  }
}

/** What was stopped, as it ran before. A draft that was disabled goes live: enabling a draft does so. */
function running(rule: Life): Life {
  const onTrial = rule.liveVersion === null && rule.shadowVersion !== null;
  if (onTrial) return { ...rule, state: "shadow", reason: null };
  return { ...rule, state: "live", liveVersion: rule.liveVersion ?? rule.newestVersion, reason: null };
}

/**
 * The rule once it has this version: live at once, unless less is asked for. What is disabled, quarantined or throttled stays so: the
 * version is what will run.
 * @throws RuleConflict
 */
export function uploaded(name: string, rule: Life | undefined, version: number, wish: Wish): Life {
  const before: Life = rule ?? {
    state: "draft",
    newestVersion: version,
    liveVersion: null,
    shadowVersion: null,
    reason: null,
  };
  const newestVersion = Math.max(version, before.newestVersion);
  const stopped = before.state === "disabled" || before.state === "quarantined" || before.state === "throttled";
  const { liveVersion, shadowVersion } = before;
  const reason = stopped ? before.reason : null;
  if (wish === "live") {
    const trial = shadowVersion === version ? null : shadowVersion;
    return {
      ...before,
      newestVersion,
      state: stopped ? before.state : "live",
      liveVersion: version,
      shadowVersion: trial,
      reason,
    };
  }
  if (wish === "draft") return { ...before, newestVersion };
  if (version === liveVersion)
    throw new RuleConflict(
      `Cannot try version ${version} of the rule "${name}": it is the live one, expected another module or other parameters`,
    );
  const state = before.state === "draft" ? "shadow" : before.state;
  return { ...before, newestVersion, state, shadowVersion: version, reason };
}

/** The version in whose place a new one is to run: what it has is what the new one goes on from. */
export function baseVersion(rule: Life | undefined, wish: Wish): number {
  if (!rule) return 0;
  const { liveVersion, shadowVersion, newestVersion } = rule;
  if (wish === "draft") return newestVersion;
  return (wish === "shadow" ? (shadowVersion ?? liveVersion) : (liveVersion ?? shadowVersion)) ?? newestVersion;
}

/** States of rules that run, or would if they were not throttled. */
export const RUNNING: ReadonlySet<RuleState> = new Set(["live", "shadow", "throttled"]);

/** Versions that run, in the order in which they do; those of a throttled rule only count what they would see. */
export function runningVersions({ state, liveVersion, shadowVersion }: Life): Running[] {
  if (!RUNNING.has(state)) return [];
  const throttled = state === "throttled" && { throttled: true as const };
  return [
    ...(liveVersion === null ? [] : [{ version: liveVersion, shadow: false, ...throttled }]),
    ...(shadowVersion === null ? [] : [{ version: shadowVersion, shadow: true, ...throttled }]),
  ];
}

type Running = Pick<SetMember, "version" | "shadow" | "throttled">;
