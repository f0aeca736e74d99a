/** Alert rules, runbooks and dashboards: against the table of metrics, and by Prometheus's own checker. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { BOARDS } from "../engine/ops/grafana/boards.ts";
import { boardJson, FOLDER } from "../engine/ops/grafana/make.ts";
import { createMetrics } from "../engine/ops/metrics.ts";
import { METRICS, type MetricRow } from "../engine/ops/metricsTable.ts";
import { findPromtool, run } from "./support/promtool.ts";

const FOLDER_OF_RULES = join(import.meta.dirname, "../engine/ops/prometheus");
const read = (file: string): string => readFileSync(join(FOLDER_OF_RULES, file), "utf8");
const { groups } = parse(read("alerts.yml")) as {
  groups: { rules: { alert: string; expr: string; labels: object; annotations: { summary: string; runbook: string } }[] }[]; // biome-ignore format: one line
};
const alerts = groups.flatMap(({ rules }) => rules);
const queries = BOARDS.flatMap(({ title, panels }) =>
  panels.flatMap((panel) => panel.queries.map(([expr]) => ({ where: `${title}: ${panel.title}`, expr }))),
);
const expressions = [...queries, ...alerts.map(({ alert, expr }) => ({ where: alert, expr }))];

const KEYWORDS = new Set(["and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"]); // biome-ignore format: one line
/** Names of metrics, and of the labels that are asked of them, in a PromQL expression. */
function namesIn(expr: string) {
  const labels: string[] = [];
  const rest = expr
    .replace(/"[^"]*"/g, '""')
    .replace(/\{([^}]*)\}/g, (_, matchers: string) => {
      labels.push(...[...matchers.matchAll(/(\w+)\s*[=!]/g)].map(([, name]) => name!));
      return "";
    })
    .replace(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g, (_, names: string) => {
      labels.push(...names.split(", "));
      return "";
    })
    .replace(/\[[^\]]*\]/g, "");
  const metrics = [...rest.matchAll(/[a-z_]\w*(?!\w*\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !KEYWORDS.has(name));
  return { metrics, labels };
}

test("alerts and dashboards ask for metrics and labels that there are", async () => {
  const known = new Map<string, readonly string[]>([["up", []]]);
  for (const { name, type, labels = [] } of Object.values<MetricRow>(METRICS))
    for (const suffix of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""])
      known.set(name + suffix, suffix === "_bucket" ? [...labels, "le"] : labels);
  for (const { name } of await createMetrics().registry.getMetricsAsJSON())
    for (const suffix of ["", "_sum", "_count"]) if (!known.has(name + suffix)) known.set(name + suffix, []);
  expect(namesIn('sum by (a, le) (rate(x_total{b!="c(d)"}[5m])) / on (e) y > 0.5')).toEqual({
    metrics: ["x_total", "y"],
    labels: ["b", "a", "le", "e"],
  });
  for (const { where, expr } of expressions) {
    const { metrics, labels } = namesIn(expr);
    expect(metrics.length, where).toBeGreaterThan(0);
    for (const name of metrics) expect([...known.keys()], where).toContain(name);
    for (const label of labels)
      expect(["job", "instance", ...metrics.flatMap((name) => known.get(name)!)], where).toContain(label);
  }
});

test("every metric of ours that stands for something to see is on a dashboard", () => {
  const shown = new Set(queries.flatMap(({ expr }) => namesIn(expr).metrics));
  const missing = Object.values<MetricRow>(METRICS).filter(({ name }) => ![...shown].some((each) => each.startsWith(name))); // biome-ignore format: one line
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("the files of the dashboards are those that boards.ts makes", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(BOARDS.map(({ uid }) => `${uid}.json`).sort());
  for (const board of BOARDS) {
    const text = readFileSync(join(FOLDER, `${board.uid}.json`), "utf8");
    expect(text, "node --import tsx engine/ops/grafana/make.ts").toBe(boardJson(board));
    expect(JSON.parse(text)).toMatchObject({ uid: board.uid, panels: board.panels.map(({ title }) => ({ title })) });
  }
});

test("each alert has a severity, a runbook that says what it means, what to look at and what to do, and a test", () => {
  const sections = new Map(read("runbooks.md").split(/^## /m).slice(1).map((text) => [/^\w+/.exec(text)![0], text])); // biome-ignore format: one line
  expect([...sections.keys()].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  const ofSeed = ["ChainBlocksBehind", "HighRPCLatency", "NoOpportunitiesDetected", "HighDatabaseErrorRate", "HighAPIErrorRate"]; // biome-ignore format: one line
  expect([...sections.keys()]).toEqual(expect.arrayContaining(ofSeed));
  const { tests } = parse(read("alerts.test.yml")) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }; // biome-ignore format: one line
  const fired = new Set(tests.flatMap((each) => each.alert_rule_test).filter((each) => each.exp_alerts.length > 0).map(({ alertname }) => alertname)); // biome-ignore format: one line
  for (const { alert, labels, annotations } of alerts) {
    expect(labels, alert).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
    expect(annotations.runbook).toBe(`engine/ops/prometheus/runbooks.md#${alert.toLowerCase()}`);
    for (const part of ["**Means** ", "**Look at** ", "**Do** "]) expect(sections.get(alert), alert).toContain(part);
    expect(fired, "alerts.test.yml").toContain(alert);
  }
});

const promtool = findPromtool();
if ("missing" in promtool) process.stderr.write(`skipped: rules and dashboards by promtool: ${promtool.missing}\n`);

test.skipIf("missing" in promtool)(
  "promtool takes the rules, fires each alert, and can read the dashboards' queries",
  () => {
    const { path } = promtool as { path: string };
    const check = (...args: string[]): void => {
      const { status, stdout, stderr } = run(path, args, FOLDER_OF_RULES);
      expect(status, stdout + stderr).toBe(0);
    };
    check("check", "config", "prometheus.yml");
    check("check", "rules", "alerts.yml");
    check("test", "rules", "alerts.test.yml");
    const folder = mkdtempSync(join(tmpdir(), "weir-promtool-"));
    try {
      const rules = queries.map(({ expr }, i) => ({ record: `q${i}`, expr })); // JSON is YAML
      const file = join(folder, "queries.yml");
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboards", rules }] }));
      check("check", "rules", file);
      writeFileSync(file, JSON.stringify({ groups: [{ name: "broken", rules: [{ record: "q", expr: "rate(x)" }] }] }));
      expect(run(path, ["check", "rules", file]).status).not.toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
