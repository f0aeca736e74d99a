import fc from "fast-check";
import { expect, test } from "vitest";
import type { LiveRule } from "./liveRule.ts";
import { changeOf, rulesAfter } from "./ruleSetChange.ts";

const rule = (name: string, version: number) => ({ name, version }) as LiveRule;

test("a change leads from one set to the other, and has as fresh what the other lacks", () => {
  const all = [..."abcdef"].flatMap((name) => [1, 2, 3].map((version) => rule(name, version)));
  const set = fc.subarray(all);
  fc.assert(
    fc.property(set, set, (before, now) => {
      const change = changeOf("x", before, now);
      expect(rulesAfter(before, change)).toEqual(now);
      expect(change.fresh).toEqual(now.filter((each) => !before.includes(each)));
      const kept = change.places.filter((place) => place >= 0);
      expect(kept).toEqual(kept.toSorted());
    }),
  );
});

test("sets in another order than that of names are told whole where they must be, and right", () => {
  const all = ["b", "a", "d", "c"].map((name) => rule(name, 1));
  for (const now of [all.toReversed(), [...all.slice(1), rule("0", 1)]])
    expect(rulesAfter(all, changeOf("x", all, now))).toEqual(now);
});
