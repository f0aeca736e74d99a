import type { LiveRule } from "./liveRule.ts";

/** A rule set by another one: what whoever has that needs to be told. */
export interface RuleSetChange {
  /** Id of the other. */
  readonly after: string;
  /** Of each rule its number in the other, ascending, or −1: it is the next of `fresh`. */
  readonly places: Int32Array;
  readonly fresh: readonly LiveRule[];
}

/** Rules are the same where they are the same object. */
export function changeOf(after: string, before: readonly LiveRule[], now: readonly LiveRule[]): RuleSetChange {
  const numbers = new Map(before.map((rule, number) => [rule, number]));
  let last = -1;
  const places = Int32Array.from(now, (rule) => {
    const place = numbers.get(rule) ?? -1;
    if (place <= last) return -1; // the order is that of names, so hardly ever
    last = place;
    return place;
  });
  return { after, places, fresh: now.filter((_, number) => places[number] === -1) };
}

/** The set that a change leads to. */
export function rulesAfter(before: readonly LiveRule[], { places, fresh }: RuleSetChange): LiveRule[] {
  let next = 0;
  return Array.from(places, (place) => (place < 0 ? fresh[next++]! : before[place]!));
}
