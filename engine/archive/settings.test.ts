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
  [{ WEIR_ARCHIVE: "a*" }, /expected the path of a folder, s3:/],
  [{ WEIR_ARCHIVE: "../a" }, /expected the path of a folder, s3:/],
  [{ WEIR_ARCHIVE: "s3://bucket/{a,b}" }, /expected the path of a folder, s3:/],
  [{ WEIR_ARCHIVE: "ftp://host/a" }, /expected the path of a folder, s3:/],
  [{ WEIR_ARCHIVE_FORMAT: "pickle" }, /a pickle runs code when somebody reads it/],
])("%j is refused", (env, problem) => {
  expect(() => configOf(env)).toThrow(problem);
});

test("what rules remember is no history: retention of rule_state is refused", () => {
  expect(() => retentionBefore(configOf({ WEIR_RETENTION_DAYS: "rule_state=1" }), NOW)).toThrow(
    /rule_state.*no such table/,
  );
});

test("an archive in a folder is the embedded store's, one in a bucket any store's", async () => {
  const config = configOf({ WEIR_ARCHIVE: "/tmp/archive" });
  expect(await configuredArchive(config, { kind: "embedded" })).toMatchObject({ place: { where: "/tmp/archive" } });
  await expect(configuredArchive(config, { kind: "server" })).rejects.toThrow(/does not see folders of this host/);
  expect(await configuredArchive(configOf({}), { kind: "server" })).toBeUndefined();
  await expect(requiredArchive(configOf({}), { kind: "embedded" })).rejects.toThrow(/WEIR_ARCHIVE: it is not set/);
  const bucket = configOf({
    WEIR_ARCHIVE: "gs://history/weir",
    AWS_ACCESS_KEY_ID: "me",
    AWS_SECRET_ACCESS_KEY: "mine",
  });
  for (const kind of ["embedded", "server"] as const)
    expect(await configuredArchive(bucket, { kind })).toMatchObject({
      place: { where: "gs://history/weir/", prefix: "https://storage.googleapis.com/history/weir/" },
    });
});
