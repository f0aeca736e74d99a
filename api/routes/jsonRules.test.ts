import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_JSON_RULE_BYTES } from "../../engine/rules/jsonRule.ts";
import { LONG_RULE, SHORT_RULE } from "../../engine/rules/testing/seedRules.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { MAX_VALUES_BYTES, ruleParametersSchema } from "./ruleParameters.ts";
import { ruleSchema, ruleVersionSchema } from "./rules.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
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
  const deep = `{"name":"deep","conditions":{"value_gte":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
  for (const body of ["{", "[]", "null", '"x"', "{}", deep]) await server.problem("/api/v1/rules", 400, post(body));
  await server.problem("/api/v1/rules?state=dead", 400, post(SHORT_RULE));
});

test("401 without the token, 413 and 415 for other bodies, 409 for what a rule's state does not allow", async () => {
  await server.problem("/api/v1/rules", 401, post(SHORT_RULE, { authorization: "Bearer x" }));
  await server.problem("/api/v1/rules", 413, post(" ".repeat(MAX_JSON_RULE_BYTES + 1)));
  await server.problem("/api/v1/rules", 415, post(SHORT_RULE, { "content-type": "text/plain" }));
  await server.problem("/api/v1/rules?state=shadow", 409, post(LONG_RULE));
});

test("arguments of events by their names; a wrong one is told with what was meant", async () => {
  const rule = {
    name: "Named Arguments",
    abi: ["event Transfer(address indexed from, address indexed to, uint256 value)", "error Unused()"],
    conditions: { "event.Transfer.value_gte": "1000000000000" },
  };
  expect((await server.get("/api/v1/rules", post(rule))).status).toBe(201);
  expect((await server.get("/api/v1/rules", post(rule))).status).toBe(200);
  const wrong = { ...rule, conditions: { "event.Transfer.valeu_gte": 1 } };
  const { errors } = await server.problem("/api/v1/rules", 400, post(wrong));
  expect(errors).toEqual([
    {
      parameter: "conditions.event.Transfer.valeu_gte",
      detail: expect.stringMatching(/^Unknown argument "valeu" of the event Transfer.* Did you mean "value"\?$/),
    },
  ]);
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

test("parameters: read, set whole or in part, on trial, promoted; each value that does not fit is named", async () => {
  const rule = {
    name: "With Values",
    parameters: {
      most: { type: "integer", default: "9000" },
      least: { type: "integer", default: "1000", min: "1", description: "in wei" },
      chain: { type: "integer", default: 1, choices: [1, 137] },
    },
    conditions: { value_gte: { param: "least" }, value_lte: { param: "most" }, chainId: { param: "chain" } },
  };
  expect((await server.get("/api/v1/rules", post(rule))).status).toBe(201);
  const path = "/api/v1/rules/with-values/parameters";
  const send = (method: string, body: unknown, headers = {}) => ({ ...post(body, headers), method });
  const shown = (body: unknown) => {
    const { version, runs, parameters } = ruleParametersSchema.parse(body);
    return [version, runs, ...parameters.map(({ name, value }) => `${name}=${value}`)];
  };
  const read = async (query = "") => shown(await server.read(path + query, ruleParametersSchema));
  const set = async (method: string, body: unknown, query = "") => {
    const answer = await server.get(path + query, send(method, body));
    expect(answer.status, answer.text).toBe(200);
    return shown(answer.body());
  };
  const first = await server.read(path, ruleParametersSchema);
  expect(first.parameters[1]).toEqual({
    ...{ name: "least", type: "integer", value: "1000", default: "1000", min: "1", description: "in wei" },
  });
  expect(await set("PUT", { least: 5, most: "6" })).toEqual([2, "live", "chain=1", "least=5", "most=6"]);
  expect(await set("PATCH", { chain: "137", most: null })).toEqual([3, "live", "chain=137", "least=5", "most=9000"]);
  expect(await set("PUT", { least: 7 }, "?state=shadow")).toEqual([4, "shadow", "chain=1", "least=7", "most=9000"]);
  expect(await read()).toEqual([3, "live", "chain=137", "least=5", "most=9000"]);
  expect(await read("?state=shadow")).toEqual([4, "shadow", "chain=1", "least=7", "most=9000"]);
  await server.get("/api/v1/rules/with-values/promote", { ...post(""), body: null });
  expect(await read()).toEqual([4, "live", "chain=1", "least=7", "most=9000"]);
  await server.problem(`${path}?state=shadow`, 404);
  const versions = await server.read("/api/v1/rules/with-values/versions", z.array(ruleVersionSchema));
  expect(versions.map(({ parameters }) => parameters.least)).toEqual(["7", "5", "5", undefined]);

  const { errors, detail } = await server.problem(path, 400, send("PATCH", { lest: 1, least: 0, chain: 2 }));
  expect(detail).toContain('Cannot set parameters of the rule "with-values": ');
  expect(errors).toEqual([
    { parameter: "least", detail: "Expected a whole number of at least 1, got 0" },
    { parameter: "lest", detail: expect.stringContaining('Did you mean "least"?') },
    { parameter: "chain", detail: "Expected one of 1, 137, got 2" },
  ]);
  for (const body of ["{", "[]", "null", "5"]) await server.problem(path, 400, send("PUT", body));
  await server.problem(`${path}?state=gone`, 400, send("PUT", {}));
  await server.problem(path, 401, send("PUT", {}, { authorization: "Bearer wrong" }));
  await server.problem(path, 413, send("PATCH", { least: "x".repeat(MAX_VALUES_BYTES) }));
  await server.problem(path, 415, send("PATCH", {}, { "content-type": "text/plain" }));
  await server.problem("/api/v1/rules/nobody/parameters", 404, send("PUT", {}));
  await server.problem("/api/v1/rules/nobody/parameters", 404);
  expect(await read()).toEqual([4, "live", "chain=1", "least=7", "most=9000"]);
  expect(server.log()).toContain("rule_parameters_set");
});
