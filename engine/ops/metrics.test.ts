import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";
import { LABELS, METRICS, type MetricRow } from "./metricsTable.ts";

test("exposes what was counted, under the documented names", async () => {
  const metrics = createMetrics({ defaults: false });
  metrics.deadLetters.inc({ reason: "not_json" }, 2);
  metrics.stageSeconds.observe({ stage: "decode" }, 0.003);
  metrics.apiRequests.inc({ endpoint: "/health", method: "GET", status: "200" });
  metrics.beforeRead(() => metrics.inFlightBytes.set(7));
  const text = await metrics.text();
  expect(text).toContain('weir_dead_letters_total{reason="not_json"} 2');
  expect(text).toContain('weir_stage_seconds_bucket{le="0.005",stage="decode"} 1');
  expect(text).toContain('api_requests_total{endpoint="/health",method="GET",status="200"} 1');
  expect(text).toContain("weir_in_flight_bytes 7");
});

test("two of them do not share anything, and each metric has a help text and labels that end", async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.batches.inc();
  expect(await two.registry.getSingleMetricAsString("weir_batches_total")).toContain("weir_batches_total 0");
  const rows: readonly MetricRow[] = Object.values(METRICS);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { help } of await one.registry.getMetricsAsJSON()) expect(help.length).toBeGreaterThan(8);
  for (const { name, type } of rows) expect(name.endsWith("_total"), name).toBe(type === "counter" && name !== "total_profit_detected_usd" && name !== "arbitrage_profit_total_sol"); // biome-ignore format: one line
  expect(new Set(rows.flatMap(({ labels = [] }) => labels))).toEqual(new Set(Object.keys(LABELS)));
});

test("of more values than a label may have, counters count the rest as other, and gauges have no series", async () => {
  const metrics = createMetrics({ defaults: false });
  const names = Array.from({ length: LABELS.rule + 50 }, (_, i) => `rule-${i}`);
  for (const rule of names) {
    metrics.alerts.inc({ rule });
    metrics.ruleStateBytes.set({ rule }, 1);
  }
  metrics.alerts.inc({ rule: "rule-0" });
  const alerts = (await metrics.alerts.get()).values;
  expect(alerts).toHaveLength(LABELS.rule + 1);
  expect(alerts.find(({ labels }) => labels.rule === "other")?.value).toBe(50);
  expect(alerts.find(({ labels }) => labels.rule === "rule-0")?.value).toBe(2);
  expect((await metrics.ruleStateBytes.get()).values).toHaveLength(LABELS.rule);
});
