import type { Condition } from "../condition/condition.ts";
import { filterCondition } from "../rules/filterCondition.ts";
import type { LiveRule } from "../rules/liveRule.ts";
import { SEVERITIES } from "../sandbox/manifest.ts";
import { wantsFacts } from "./withFacts.ts";

/**
 * What stages ask of each rule of a set. Made once a rule, since most rules of a set were in the one before; and with all members there:
 * to look for one that a rule lacks takes V8 1 µs, and a set of 10,000 rules took 90 ms of a thread's CPU, now 10.
 */
export interface Outline {
  readonly name: string;
  readonly version: number;
  readonly condition: Condition;
  readonly silent: boolean;
  readonly throttled: boolean;
  readonly trial: boolean;
  /** It has state, and runs. */
  readonly hasState: boolean;
  /** It has no module: what it sees, it alerts on. */
  readonly alertsOnAll: boolean;
  /** Its module asks the host for state or lists. */
  readonly asks: boolean;
  /** Its module is shown what was found. */
  readonly takesFacts: boolean;
  /** That, or its condition asks. */
  readonly wantsFacts: boolean;
  /** Index into SEVERITIES. */
  readonly severity: number;
  /** What its alerts say without a template. */
  readonly text: string;
  readonly message: string | undefined;
}

const outlines = new WeakMap<LiveRule, Outline>();

export function outlineOf(rule: LiveRule): Outline {
  const known = outlines.get(rule);
  if (known !== undefined) return known;
  const { name, version, manifest, module, banned, message } = rule;
  const throttled = rule.throttled === true;
  const made: Outline = {
    name,
    version,
    condition: rule.condition ?? filterCondition(manifest.filter),
    silent: rule.silent === true,
    throttled,
    trial: rule.trial === true,
    hasState: !throttled && (manifest.state?.length ?? 0) > 0,
    alertsOnAll: module === null && banned === undefined,
    asks: manifest.state !== undefined || manifest.lists !== undefined,
    takesFacts: manifest.facts !== undefined,
    wantsFacts: wantsFacts(rule),
    severity: SEVERITIES.indexOf(manifest.severity),
    text: manifest.description || name,
    message,
  };
  outlines.set(rule, made);
  return made;
}
