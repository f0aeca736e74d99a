import { expect, test } from "vitest";
import { count, narrowTable } from "./terminal.ts";

test("a narrow table fits its width: long values are cut, the last column goes on below", () => {
  const rows = [
    {
      name: "WEIR_CHAINS",
      value: "1,10,25,56,100,130,137,146,250,252",
      meaning: "Chain ids that are known to this engine",
    },
    { name: "LOG_LEVEL", value: "info", meaning: "Least level" },
  ];
  expect(narrowTable(rows, 64).trimEnd().split("\n")).toEqual([
    "name         value                         meaning",
    `${"─".repeat(11)}  ${"─".repeat(28)}  ${"─".repeat(20)}`,
    "WEIR_CHAINS  1,10,25,56,100,130,137,146,…  Chain ids that are",
    "                                           known to this engine",
    "LOG_LEVEL    info                          Least level",
  ]);
  for (const line of narrowTable(rows, 80).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("a count is of one thing or of several", () => {
  expect([count(0, "block"), count(1, "dead letter"), count(12_408, "alert")]).toEqual([
    "0 blocks",
    "1 dead letter",
    "12,408 alerts",
  ]);
});
