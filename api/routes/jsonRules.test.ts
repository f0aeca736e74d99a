import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_JSON_RULE_BYTES } from "../../engine/rules/jsonRule.ts";
import { LONG_RULE, SHORT_RULE } from "../../engine/rules/testing/seedRules.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { ruleSchema } from "./rules.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 120_000);
afterAll(() => server?.close());

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
});
test("both shapes become rules that live as modules do", async () => {
  for (const [body, name, severity] of [
    [SHORT_RULE, "high-value-transaction-alert", "medium"],
    [LONG_RULE, "whale-transaction-alert", "high"],
  ] as const) {
    const made = await server.get("/api/v1/rules", post(body));
    expect(made.status, made.text).toBe(201);
    expect(ruleSchema.parse(made.body())).toMatchObject({
      name,
      kind: "json",
      version: 1,
      state: "live",
      manifest: { severity },
    });
    const again = await server.get("/api/v1/rules", post(body));
    expect([again.status, ruleSchema.parse(again.body()).version]).toEqual([200, 1]);
  }
  const next = await server.get("/api/v1/rules?state=shadow", post({ ...SHORT_RULE, conditions: { value_gte: 5 } }));
  expect(ruleSchema.parse(next.body())).toMatchObject({ version: 1, shadow_version: 2, newest_version: 2 });
  expect((await server.read("/api/v1/rules", z.array(ruleSchema))).map(({ name }) => name)).toEqual([
    "high-value-transaction-alert",
    "whale-transaction-alert",
  ]);
});

test("400 names every mistake with its place and what was meant", async () => {
  const answer = await server.get(
    "/api/v1/rules",
    post({ ...LONG_RULE, conditions: { and: [{ valeu_gte: 1 }, { to: "0x" }] }, actions: { severity: "big" } }),
  );
  expect(answer.status).toBe(400);
  expect(answer.body()).toMatchObject({
    errors: [
      { parameter: "actions.severity", detail: expect.any(String) },
      { parameter: "conditions.and.0.valeu_gte", detail: expect.stringContaining('Did you mean "value"?') },
      { parameter: "conditions.and.1.to", detail: expect.stringContaining("40 hexadecimal digits") },
    ],
  });
  for (const body of ["{", "[]", "null", '"x"', "{}"]) await server.problem("/api/v1/rules", 400, post(body));
  await server.problem("/api/v1/rules?state=dead", 400, post(SHORT_RULE));
});

test("401 without the token, 413 and 415 for other bodies, 409 for what a rule's state does not allow", async () => {
  await server.problem("/api/v1/rules", 401, post(SHORT_RULE, { authorization: "Bearer x" }));
  await server.problem("/api/v1/rules", 413, post(" ".repeat(MAX_JSON_RULE_BYTES + 1)));
  await server.problem("/api/v1/rules", 415, post(SHORT_RULE, { "content-type": "text/plain" }));
  await server.problem("/api/v1/rules?state=shadow", 409, post(LONG_RULE));
});

test("what may be asked is listed", async () => {
  const fields = await server.read(
    "/api/v1/rule-fields",
    z.array(z.object({ name: z.string(), operators: z.array(z.string()) }).loose()),
  );
  expect(fields.find(({ name }) => name === "gasPrice")).toMatchObject({
    aliases: ["gas_price"],
    kind: "integer",
    optional: true,
    operators: ["eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "exists"],
  });
});
