import type { LiveRule } from "../rules/liveRule.ts";
import { createResidents } from "../rules/residents.ts";
import { createBannedRule } from "../sandbox/bannedRule.ts";
import { createInstancePool } from "../sandbox/instancePool.ts";
import { RUN_LIMITS } from "../sandbox/limits.ts";
import { createRule, type Rule } from "../sandbox/rule.ts";

/** The sandboxes of a thread: a rule has one, in whatever rule sets and stages it is. */
export interface Sandboxes {
  /** A batch begins. */
  begin(): void;
  /** Made when a rule sees its first transaction: of 10,000 rules most never do. */
  of(rule: LiveRule): Rule;
}

const DEFAULT_MEMORIES = 4_000;

/** @param memories to keep at most */
export function createSandboxes(memories = DEFAULT_MEMORIES): Sandboxes {
  const residents = createResidents(memories);
  const pool = createInstancePool(residents);
  const known = new WeakMap<LiveRule, Rule>();
  return {
    begin: residents.begin,
    of(rule) {
      const found = known.get(rule);
      if (found) return found;
      const { banned, module, silent } = rule;
      const made =
        banned === undefined ? createRule(module!, RUN_LIMITS, rule, pool, !silent) : createBannedRule(banned);
      known.set(rule, made);
      return made;
    },
  };
}
