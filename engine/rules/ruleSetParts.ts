/**
 * The rule set that runs, in parts by a hash of the rules' names. A set is kept in the control store before anything runs with it, and at
 * 10,000 rules it is 1.3 MB: of one that differs in a rule, a part of 10 KB is new. Its id is the hash of its parts' ids.
 */
import { createHash } from "node:crypto";
import type { SetMember } from "../control/schema.ts";
import { contentId } from "../world/world.ts";

const PARTS = 128;

export interface RuleSetPart {
  readonly id: string;
  readonly rules: readonly SetMember[];
}

export interface RuleSetParts {
  /** What runs of a rule from now on: one version, or the live one and one on trial, or nothing. */
  put(name: string, members: readonly SetMember[]): void;
  /** All of it, in the order of names. A member that has not changed is the same object. */
  current(): { readonly id: string; readonly parts: readonly RuleSetPart[]; readonly members: readonly SetMember[] };
}

export function createRuleSetParts(): RuleSetParts {
  const rules = new Map<string, readonly SetMember[]>();
  const names = Array.from({ length: PARTS }, () => new Set<string>());
  const made: (RuleSetPart | undefined)[] = names.map(() => undefined);
  let set: ReturnType<RuleSetParts["current"]> | undefined;

  /** In the order of names; nearly so they lie in the map. */
  const membersOf = (some: Iterable<string>): SetMember[] => [...some].sort().flatMap((name) => rules.get(name)!);

  return {
    put(name, members) {
      const part = createHash("sha256").update(name).digest()[0]! % PARTS;
      if (members.length === 0) {
        if (!rules.delete(name)) return;
        names[part]!.delete(name);
      } else {
        rules.set(name, members);
        names[part]!.add(name);
      }
      made[part] = undefined;
      set = undefined;
    },
    current() {
      if (set) return set;
      const parts = made.flatMap((part, p) => {
        if (names[p]!.size === 0) return [];
        if (part) return [part];
        const some = membersOf(names[p]!);
        return (made[p] = { id: contentId(some), rules: some });
      });
      set = { id: contentId(parts.map(({ id }) => id)), parts, members: membersOf(rules.keys()) };
      return set;
    },
  };
}
