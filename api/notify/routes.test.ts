import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 120_000);
afterAll(() => server?.close());

const BASE = "/api/v1/notifications";
async function call(method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const answer = await server.get(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (answer.text ? answer.body() : null) as Record<string, never>,
  };
}

test("a channel is made, shown without its secrets, changed, tested, removed; what is wrong is said with its place", async () => {
  const slack = { name: "ops", kind: "slack", settings: { url: "https://hooks.example.com/services/secret" } };
  const made = await call("POST", `${BASE}/channels`, slack);
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    name: "ops",
    settings: { url: "(set)" },
    enabled: true,
    policy: { dedup_seconds: 300 },
  });
  expect((await call("POST", `${BASE}/channels`, slack)).status).toBe(409);
  const changed = await call("PATCH", `${BASE}/channels/ops`, {
    settings: { url: "(set)" },
    policy: { min_severity: "high" },
  });
  expect(changed.body).toMatchObject({ settings: { url: "(set)" }, policy: { min_severity: "high" } });
  expect(await server.notifications.channels.settingsOf(1)).toEqual(slack.settings);
  expect((await call("POST", `${BASE}/channels/ops/test`)).body).toEqual({
    message_ids: [expect.stringMatching(/^msg_/)],
  });
  const { body, headers } = await call("GET", `${BASE}/deliveries?channel=ops&state=waiting`);
  expect(body).toMatchObject([{ channel: "ops", kind: "test", state: "waiting", attempts: 0 }]);
  expect(headers.get("x-total-count")).toBe("1");

  const places = async (own: object) => {
    const refused = await call("POST", `${BASE}/channels`, { ...slack, name: "other", ...own });
    expect(refused.status).toBe(400);
    return (refused.body.errors as { parameter: string }[] | undefined)?.map(({ parameter }) => parameter);
  };
  expect(await places({ settings: { url: "ftp://example.com" } })).toEqual(["settings.url"]);
  expect(await places({ kind: "webhook", settings: { url: "https://example.com", secrets: ["short"] } })).toEqual([
    "settings.secrets.0",
  ]);
  expect(await places({ name: "Not A Name" })).toEqual(["name"]);
  expect(await places({ policy: { quiet: { from: "9", to: "10:00" } } })).toEqual(["policy.quiet.from"]);
  await places({ policy: { text: "{% if %}" } });
  expect((await call("DELETE", `${BASE}/channels/ops`)).status).toBe(200);
  expect((await call("GET", `${BASE}/channels/ops`)).status).toBe(404);
  expect((await call("DELETE", `${BASE}/channels/ops`)).status).toBe(404);
});

test("templates can be tried, silences made and ended, what was not told cannot be taken note of", async () => {
  const tried = await call("POST", `${BASE}/preview`, {
    title: "{{ count }} x {{ alert.rule }}",
    kind: "digest",
    count: 3,
  });
  expect(tried.body).toMatchObject({ title: "3 x whale-transfer", text: expect.stringContaining("1,200 ETH moved") });
  expect((await call("POST", `${BASE}/preview`, { title: "{% if %}" })).status).toBe(400);

  const ends_at = new Date(Date.now() + 3_600_000).toISOString();
  const { body } = await call("POST", `${BASE}/silences`, { rules: ["whale*"], ends_at, comment: "known" });
  expect(body).toMatchObject({ rules: ["whale*"], chains: [], comment: "known" });
  expect((await call("GET", `${BASE}/silences`)).body).toHaveLength(1);
  expect((await call("POST", `${BASE}/silences`, { ends_at: "2020-01-01T00:00:00Z", comment: "late" })).status).toBe(
    400,
  );
  expect((await call("DELETE", `${BASE}/silences/${body.id}`)).status).toBe(200);
  expect((await call("DELETE", `${BASE}/silences/${body.id}`)).status).toBe(404);
  expect((await call("POST", `/api/v1/alerts/${"0".repeat(32)}/acknowledge`)).status).toBe(404);
  expect((await call("POST", `${BASE}/deliveries/999/redeliver`)).status).toBe(404);
});
