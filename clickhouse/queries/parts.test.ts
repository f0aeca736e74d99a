import { describe, expect, test } from "vitest";
import { addedParts, type PartsSeen } from "./parts.ts";

/** Of `alerts` and of a table beside it. @param parts `NAME:ROWS …`, `NAME:ROWS-` where some rows are left out */
function seen(parts: string, { engine = "MergeTree", folder = "a", uptime = 9, beside = "1" } = {}): PartsSeen {
  const of = (table: string, hash: string, parts: string) => ({ table, engine, folder, hash, parts: parts.split(" ").map((part) => { const [name, rows] = part.split(":"); return [name!, Number.parseInt(rows!, 10), rows!.endsWith("-")] as const; }) }); // biome-ignore format: one line
  return { hash: parts, uptime, tables: [of("alerts", parts, parts), of("replaced_blocks", beside, "all_1_1_0:1")] };
}

const BEFORE = "all_1_4_1:40 all_5_5_0:10 all_6_6_0:10";

describe("parts that were added are told from what was merged", () => {
  test.each([
    ["nothing", BEFORE, []],
    ["two", `${BEFORE} all_7_7_0:1 all_8_8_0:1`, ["all_7_7_0", "all_8_8_0"]],
    ["with a hole: what was between was never there, or is gone", `${BEFORE} all_9_9_0:1`, ["all_9_9_0"]],
    ["two that were merged", `${BEFORE} all_7_8_1:2`, ["all_7_8_1"]],
    ["one, and others merged", "all_1_4_1:40 all_5_6_1:20 all_7_7_0:1", ["all_7_7_0"]],
    ["none, all merged", "all_1_6_2:60", []],
    ["one, and mutated since", `${BEFORE} all_7_7_0_8:1`, ["all_7_7_0_8"]],
    ["merged with what was there", "all_1_4_1:40 all_5_7_1:21", undefined],
    ["a part is gone", "all_1_4_1:40 all_5_5_0:10 all_7_7_0:1", undefined],
    ["as many as went", "all_1_4_1:40 all_5_5_0:10 all_7_7_0:10", undefined],
    ["as many as went, merged", "all_1_4_1:40 all_5_7_1:20", undefined],
    ["a part is empty", "all_1_4_1:40 all_5_5_0:10 all_6_6_1:0 all_7_7_0:1", undefined],
    ["a merge left rows out", "all_1_6_2:59 all_7_7_0:1", undefined],
    ["all mutated", "all_1_4_1_7:40 all_5_5_0_7:10 all_6_6_0_7:10", undefined],
    ["one mutated so far", "all_1_4_1_7:40 all_5_5_0:10 all_6_6_0:10", undefined],
    ["mutated, then merged", "all_1_6_2_7:60", undefined],
    ["a table of partitions", "202401_1_1_0:60 202402_7_7_0:1", undefined],
  ])("%s", (_, now, added) => {
    expect(addedParts(seen(BEFORE), seen(now), "alerts")?.names).toEqual(added);
  });

  test("mutations of before are no change, but one that was under way", () => {
    const done = seen("all_1_4_1_7:40 all_5_5_0_7:10 all_8_8_0:10");
    expect(addedParts(done, seen("all_1_8_2_7:60 all_9_9_0:1"), "alerts")).toEqual({
      names: ["all_9_9_0"],
      rows: 1,
      areWhole: true,
    });
    const underWay = seen("all_1_4_1_7:40 all_5_5_0:10 all_8_8_0:10");
    expect(addedParts(underWay, seen("all_1_8_2_7:60 all_9_9_0:1"), "alerts")).toBeUndefined();
  });

  test.each([
    ["another table has changed", { beside: "2" }],
    ["the table was put in the place of another", { folder: "b" }],
    ["the store was started anew", { uptime: 8 }],
  ])("%s", (_, more) => {
    expect(addedParts(seen(BEFORE), seen(`${BEFORE} all_7_7_0:1`, more), "alerts")).toBeUndefined();
  });

  test("rows that are left out of a part do not count", () => {
    const now = seen(`${BEFORE} all_7_7_0:1 all_8_8_0:2-`); // as one that was taken over from another table
    expect(addedParts(seen(BEFORE), now, "alerts")).toMatchObject({ rows: 3, areWhole: false });
  });

  test("merges replace rows, or sum them", () => {
    const engine = "ReplacingMergeTree";
    expect(addedParts(seen(BEFORE, { engine }), seen(`${BEFORE} all_7_7_0:1`, { engine }), "alerts")).toBeUndefined();
  });
});
