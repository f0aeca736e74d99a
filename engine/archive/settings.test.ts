import { expect, test } from "vitest";
import { ARCHIVED_TABLES } from "../../clickhouse/archive/columns.ts";
import { loadConfig } from "../ops/config.ts";
import { configuredArchive, requiredArchive, retentionBefore } from "./settings.ts";

const configOf = (env: Record<string, string>) => loadConfig({ env }).config;
const NOW = new Date("2026-03-31T12:00:00Z");

test("retention is by table; * stands for the others; what is not named stays", () => {
  const both = retentionBefore(configOf({ WEIR_RETENTION_DAYS: "transactions=30, *=365" }), NOW);
  expect([...both.keys()]).toEqual(ARCHIVED_TABLES);
  expect(both.get("transactions")).toEqual(new Date("2026-03-01T12:00:00Z"));
  expect(both.get("alerts")).toEqual(new Date("2025-03-31T12:00:00Z"));
  expect([...retentionBefore(configOf({ WEIR_RETENTION_DAYS: "alerts=1" }), NOW).keys()]).toEqual(["alerts"]);
  expect(retentionBefore(configOf({}), NOW).size).toBe(0);
});

test.each([
  [{ WEIR_RETENTION_DAYS: "transactions=0" }, /expected table=days/],
  [{ WEIR_RETENTION_DAYS: "transactions=36501" }, /expected table=days/],
  [{ WEIR_RETENTION_DAYS: "30" }, /expected table=days/],
  [{ WEIR_ARCHIVE: "a*" }, /expected the path of a folder without/],
  [{ WEIR_ARCHIVE: "../a" }, /expected the path of a folder without/],
  [{ WEIR_ARCHIVE_FORMAT: "pickle" }, /a pickle runs code when somebody reads it/],
])("%j is refused", (env, problem) => {
  expect(() => configOf(env)).toThrow(problem);
});

test("what rules remember is no history: retention of rule_state is refused", () => {
  expect(() => retentionBefore(configOf({ WEIR_RETENTION_DAYS: "rule_state=1" }), NOW)).toThrow(
    /rule_state.*no such table/,
  );
});

test("an archive in a folder is the embedded store's", () => {
  const config = configOf({ WEIR_ARCHIVE: "/tmp/archive" });
  expect(configuredArchive(config, { kind: "embedded" })).toMatchObject({ place: { where: "/tmp/archive" } });
  expect(() => configuredArchive(config, { kind: "server" })).toThrow(/does not see folders of this host/);
  expect(configuredArchive(configOf({}), { kind: "server" })).toBeUndefined();
  expect(() => requiredArchive(configOf({}), { kind: "embedded" })).toThrow(/WEIR_ARCHIVE: it is not set/);
});
