import { expect, test } from "vitest";
import { figure } from "./figure.ts";
import { isRight, markdown, summary } from "./report.ts";
import type { ScenarioResult } from "./scenario.ts";

const result: ScenarioResult = {
  scenario: "e2e",
  ok: false,
  checks: [
    { name: "transactions stored", expected: 400_000, got: 400_000 },
    { name: "whale alerts", expected: 4_021, got: 4_020 },
  ],
  figures: [figure("rate", "tx/s", [41_000, 39_000, 43_000], { atLeast: 40_000 }), figure("decode", "µs", [1.25])],
  charts: [{ name: "rates", title: "By rate", x: { label: "s" }, y: { label: "tx" }, series: [] }],
  machine: {
    cpu: "Test CPU",
    cores: 2,
    memory_gib: 24,
    os: "linux 6",
    load: 0.1,
    versions: { node: "20.20.2", kafka: "4.1.0" },
    date: "2026-01-02T03:04:05.000Z",
  },
};

test("the report has every figure and every check, and says which count is wrong", () => {
  const text = markdown([result], (...names) => `${names.join("-")}.svg`);
  expect(text).toContain("| rate | tx/s | 41,000 | 39,000 | 43,000 | 3 | 40,000 | met |  |");
  expect(text).toContain("| decode | µs | 1.25 | 1.25 | 1.25 | 1 |  |  |  |");
  expect(text).toContain("| transactions stored | 400,000 | 400,000 | right |");
  expect(text).toContain("| whale alerts | 4,021 | 4,020 | WRONG |");
  expect(text).toContain("![By rate](e2e-rates.svg)");
  expect(text).toContain("## e2e: COUNTS ARE WRONG");
  expect(text).toContain("2 × Test CPU, 24 GiB, linux 6, load 0.1 at the start; node 20.20.2, kafka 4.1.0");
});

test("the summary shows what is wrong and whether goals are met", () => {
  const text = summary(result);
  expect(text).toContain("goal 40,000: met");
  expect(text).toContain("1 of 2 counts right");
  expect(text).toContain("WRONG  whale alerts: expected 4021, got 4020");
});

test("a count is right only if it is exact", () => {
  expect(result.checks.map(isRight)).toEqual([true, false]);
});
