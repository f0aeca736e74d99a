import type { LiveRule } from "./liveRule.ts";

/** A rule set by another one: what whoever has that needs to be told. */
export interface RuleSetChange {
  /** Id of the other. */
  readonly after: string;
  /** Of each rule its number in the other, ascending, or −1: it is the next of `fresh`. */
  readonly places: Int32Array;
  readonly fresh: readonly LiveRule[];
}

/**
 * Rules are the same where they are the same object. Sets are in the order of names, so both are walked side by side, and of rules that
 * stay where they are none is looked into: a map of 10,000 took 25 ms and more on a busy core, for each thread that is told.
 */
export function changeOf(after: string, before: readonly LiveRule[], now: readonly LiveRule[]): RuleSetChange {
  let next = 0;
  const places = Int32Array.from(now, (rule) => {
    while (next < before.length && before[next] !== rule && before[next]!.name < rule.name) next++; // gone
    for (let at = next; at < before.length && (before[at] === rule || before[at]!.name === rule.name); at++) {
      if (before[at] !== rule) continue; // another version of it
      next = at + 1;
      return at;
    }
    return -1;
  });
  return { after, places, fresh: now.filter((_, number) => places[number] === -1) };
}

/** The set that a change leads to. */
export function rulesAfter(before: readonly LiveRule[], { places, fresh }: RuleSetChange): LiveRule[] {
  let next = 0;
  return Array.from(places, (place) => (place < 0 ? fresh[next++]! : before[place]!));
}
