import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CATALOGUE } from "../../clickhouse/features/catalogue.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { featureRowSchema, featureSchema } from "./features.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

test("/features documents each feature, of one group or of all", async () => {
  const all = await server.read("/api/v1/features", z.array(featureSchema));
  expect(all.map(({ name }) => name)).toEqual(CATALOGUE.map(({ name }) => name));
  const risk = await server.read("/api/v1/features?group=risk", z.array(featureSchema));
  expect(risk.length).toBeGreaterThan(10);
  expect(risk.every(({ group }) => group === "risk")).toBe(true);
  await server.problem("/api/v1/features?group=luck", 400);
});

test("/features/data of a chain without blocks is empty; what is wrong is refused by name", async () => {
  expect(await server.read("/api/v1/features/data?chain_id=1", z.array(featureRowSchema))).toEqual([]);
  const wrong = await server.problem("/api/v1/features/data?chain_id=1&features=rsi,luck", 400);
  expect(wrong.errors?.[0]).toEqual({
    parameter: "features",
    detail: 'Expected names of features, columns or groups: "luck" is none',
  });
  await server.problem("/api/v1/features/data", 400);
  await server.problem("/api/v1/features/data?chain_id=1&limit=5001", 400);
  await server.problem("/api/v1/features/data?chain_id=1&since=2024-01-02&until=2024-01-01", 400);
});
