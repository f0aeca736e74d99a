import { createRoute, z } from "@hono/zod-openapi";
import type { Control } from "../../engine/control/open.ts";
import type { HealthReport } from "../../engine/ops/health.ts";
import type { ApiDeps } from "../deps.ts";
import type { createRates } from "../rates.ts";
import { COMMON_PROBLEMS, createRouter } from "../router.ts";

export const healthSchema = z
  .object({
    status: z
      .enum(["healthy", "degraded", "unhealthy"])
      .openapi({ description: "unhealthy: no database; degraded: another part that is needed is down" }),
    detail: z.string().optional().openapi({ description: "when it is unhealthy" }),
    database: z.enum(["connected", "disconnected"]),
    database_pool_size: z
      .int()
      .openapi({ description: "open connections to the control store, as db_connection_pool_size has them" }),
    database_pool_free: z.int().openapi({ description: "of these, idle" }),
    services: z
      .record(z.string(), z.enum(["up", "down", "not configured"]))
      .openapi({ description: "clickhouse, kafka, redis, api, and each further part" }),
    metrics: z.object({
      transactions_per_second: z
        .number()
        .nullable()
        .openapi({ description: "over the last minute; null when this process runs no engine" }),
      avg_latency_ms: z
        .number()
        .nullable()
        .openapi({ description: "of the API over the last minute; null without requests" }),
      error_rate: z.number().nullable().openapi({
        description: "share of the API's answers that were our errors, last minute; null without requests",
      }),
    }),
    components: z.record(
      z.string(),
      z.object({
        up: z.boolean(),
        required: z.boolean(),
        reason: z.string().optional(),
        facts: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
    version: z.string(),
    uptime_seconds: z.number(),
  })
  .openapi("Health");

export const readySchema = z
  .object({ ready: z.boolean(), reasons: z.array(z.string()).openapi({ description: "what it waits for" }) })
  .openapi("Ready");

const healthResponses = {
  200: { description: "Healthy, or degraded", content: { "application/json": { schema: healthSchema } } },
  503: { description: "Unhealthy", content: { "application/json": { schema: healthSchema } } },
  ...COMMON_PROBLEMS,
};
const healthRoute = createRoute({
  method: "get",
  path: "/api/v1/health",
  tags: ["operations"],
  summary: "What works and what does not",
  responses: healthResponses,
});

const ready = createRoute({
  method: "get",
  path: "/ready",
  tags: ["operations"],
  summary: "Whether everything that is needed works",
  responses: {
    200: { description: "Ready", content: { "application/json": { schema: readySchema } } },
    503: { description: "Not ready, and why", content: { "application/json": { schema: readySchema } } },
    ...COMMON_PROBLEMS,
  },
});

const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["operations"],
  summary: "Metrics for Prometheus",
  responses: {
    200: { description: "Text exposition", content: { "text/plain": { schema: z.string() } } },
    ...COMMON_PROBLEMS,
  },
});

type Deps = Pick<ApiDeps, "control" | "health" | "metrics" | "version"> & {
  readonly rates: ReturnType<typeof createRates>;
};

export function operationRoutes({ control, health, metrics, version, rates }: Deps) {
  async function body() {
    const report = await health.report();
    const state = bodyOf(report, control.connections());
    const more = {
      metrics: await rates.read(),
      components: report.components,
      version,
      uptime_seconds: process.uptime(),
    };
    return [{ ...state, ...more }, state.status === "unhealthy" ? 503 : 200] as const;
  }

  return createRouter()
    .openapi(healthRoute, async (c) => c.json(...(await body())))
    .openapi(ready, async (c) => {
      const { healthy, reasons } = await health.report();
      return c.json({ ready: healthy, reasons: [...reasons] }, healthy ? 200 : 503);
    })
    .openapi(
      metricsRoute,
      async (c) => c.body(await metrics.text(), 200, { "content-type": metrics.registry.contentType }) as never,
    );
}

function bodyOf({ healthy, components }: HealthReport, { open, free }: ReturnType<Control["connections"]>) {
  const connected = components.clickhouse?.up === true;
  const services = Object.entries(components).map(([name, { up }]) => [name, up ? "up" : "down"] as const);
  return {
    status: connected ? (healthy ? ("healthy" as const) : ("degraded" as const)) : ("unhealthy" as const),
    ...(connected ? {} : { detail: "Database not connected" }),
    database: connected ? ("connected" as const) : ("disconnected" as const),
    database_pool_size: open,
    database_pool_free: free,
    services: {
      kafka: "not configured" as const,
      redis: "not configured" as const,
      ...Object.fromEntries(services),
      api: "up" as const,
    },
  };
}
