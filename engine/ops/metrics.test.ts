import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("exposes what was counted, under the documented names", async () => {
  const metrics = createMetrics({ defaults: false });
  metrics.deadLetters.inc({ reason: "not_json" }, 2);
  metrics.stageSeconds.observe({ stage: "decode" }, 0.003);
  metrics.apiRequests.inc({ endpoint: "/health", method: "GET", status: "200" });
  const text = await metrics.registry.metrics();
  expect(text).toContain('weir_dead_letters_total{reason="not_json"} 2');
  expect(text).toContain('weir_stage_seconds_bucket{le="0.005",stage="decode"} 1');
  expect(text).toContain('api_requests_total{endpoint="/health",method="GET",status="200"} 1');
});

test("two of them do not share anything, and every metric of ours has our prefix and a help text", async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.batches.inc();
  expect(await two.registry.getSingleMetricAsString("weir_batches_total")).toContain("weir_batches_total 0");
  for (const { name, help } of await one.registry.getMetricsAsJSON()) {
    expect(name).toMatch(/^(weir|api|chain|process|nodejs|websocket)_|^(transactions|opportunities)_detected_total$/);
    expect(help.length).toBeGreaterThan(8);
  }
});
