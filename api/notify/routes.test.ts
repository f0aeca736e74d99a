import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { notifyCommand } from "../../engine/cli/notify.ts";
import { loadConfig } from "../../engine/ops/config.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { configuredChannels } from "./configured.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
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
  for (const comment of ["a\u0000b", "half \ud800"]) {
    const unkept = await call("POST", `${BASE}/silences`, { ends_at, comment });
    expect([unkept.status, unkept.body.detail]).toEqual([400, expect.stringContaining("U+0000 or half a surrogate")]);
  }
  expect((await call("DELETE", `${BASE}/silences/${body.id}`)).status).toBe(200);
  expect((await call("DELETE", `${BASE}/silences/${body.id}`)).status).toBe(404);
  expect((await call("POST", `/api/v1/alerts/${"0".repeat(32)}/acknowledge`)).status).toBe(404);
  expect((await call("POST", `${BASE}/deliveries/999/redeliver`)).status).toBe(404);
});

test("variables make channels, which nobody changes, and disable those that they make no more", async () => {
  const wanted = (env: Record<string, string>) => configuredChannels(loadConfig({ env }).config.notify);
  const all = wanted({
    ...{ TELEGRAM_BOT_TOKEN: "123:abcdefghijklm", WEIR_NOTIFY_TELEGRAM_CHAT: "-100", SLACK_WEBHOOK_URL: "https://hooks.example.com/slack" },
    ...{ DISCORD_WEBHOOK_URL: "https://discord.example.com/hook", SMTP_HOST: "mail.example.com", WEIR_NOTIFY_EMAIL_TO: "a@example.com,b@example.com" },
  }); // biome-ignore format: a line a kind
  expect(all.map(({ name }) => name)).toEqual(["telegram", "discord", "slack", "email"]);
  expect(wanted({ TELEGRAM_BOT_TOKEN: "123:abcdefghijklm", WEIR_NOTIFY_EMAIL_TO: "a@example.com" })).toEqual([]);
  const wrong = { TELEGRAM_BOT_TOKEN: "no token at all", WEIR_NOTIFY_TELEGRAM_CHAT: "-100" };
  expect(() => wanted(wrong)).toThrow(/TELEGRAM_BOT_TOKEN.*expected a bot's token/s);

  const { channels } = server.notifications;
  await call("POST", `${BASE}/channels`, { name: "discord", kind: "slack", settings: { url: "https://hooks.example.com/mine" } }); // biome-ignore format: one line
  for (let starts = 0; starts < 2; starts++) expect(await channels.configure(all)).toEqual(["discord"]);
  const { body } = await call("GET", `${BASE}/channels/slack`);
  expect(body).toMatchObject({ owner: "(configuration)", configured: true, enabled: true, settings: { url: "(set)" } });
  expect((await call("GET", `${BASE}/channels/discord`)).body).toMatchObject({ kind: "slack", configured: false });
  expect((await call("PATCH", `${BASE}/channels/slack`, { enabled: false })).status).toBe(409);
  expect((await call("DELETE", `${BASE}/channels/slack`)).status).toBe(409);

  await channels.configure(all.filter(({ name }) => name !== "slack"));
  expect((await call("GET", `${BASE}/channels/slack`)).body).toMatchObject({ enabled: false, reason: "it is not configured any more" }); // biome-ignore format: one line
  expect((await call("GET", `${BASE}/channels/email`)).body).toMatchObject({ enabled: true });
  expect((await call("DELETE", `${BASE}/channels/slack`)).status).toBe(200);
  for (const name of ["telegram", "email"]) await channels.configure([]).then(() => channels.remove(name, "test"));
  await channels.remove("discord", "test");
});

test("weir notify adds a channel, tries it, shows what became of it, sends it again", async () => {
  let status = 200;
  const bodies: string[] = [];
  const slack = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(status).end("ok");
  });
  await new Promise<void>((resolve) => slack.listen(0, "127.0.0.1", resolve));
  const url = `url=http://127.0.0.1:${(slack.address() as AddressInfo).port}/hook`;
  const run = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const notify = new Command("notify").exitOverride();
    notifyCommand(notify);
    try {
      await notify.parseAsync([...args, "--json", "--api", server.url, "--token", TOKEN], { from: "user" });
    } finally {
      write.mockRestore();
    }
    return lines.join("").trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>); // biome-ignore format: one line
  };
  const stop = new AbortController();
  const running = server.notifications.notifier.run(stop.signal);
  try {
    expect(await run("add", "night", "--kind", "slack", "--set", url, "--min-severity", "high", "--rule", "whale-*")).toEqual([
      expect.objectContaining({ name: "night", kind: "slack", min_severity: "high", rules: "whale-*", chains: "all" }),
    ]); // biome-ignore format: one statement
    expect(await run("list")).toEqual([expect.objectContaining({ name: "night", enabled: true })]);
    const template = join(server.folder, "text.liquid");
    await writeFile(template, "{{ count }} of {{ alert.rule }}");
    const [preview] = await run("preview", template, "--kind", "digest", "--count", "3");
    expect(preview).toMatchObject({ title: expect.stringContaining("3"), text: expect.stringMatching(/^3 of \S/) });
    await expect(run("preview", "nowhere")).rejects.toThrow(/^Cannot read "nowhere"/);
    expect(await run("test", "night")).toEqual([expect.objectContaining({ kind: "test", state: "delivered" })]);
    expect(bodies).toHaveLength(1);
    const [told] = await run("deliveries", "--channel", "night", "--state", "delivered");
    expect(told).toMatchObject({ attempts: 1, answer: "ok", correlation_id: null });
    expect(await run("redeliver", String(told!.id))).toEqual([{ id: told!.id, state: "waiting" }]);
    await vi.waitFor(() => expect(bodies).toHaveLength(2), 600_000);
    expect(bodies[1]).toBe(bodies[0]);
    status = 404;
    await expect(run("test", "night")).rejects.toThrow(/^Cannot tell the channel "night": the message is dead, .*404/);
    await expect(run("add", "night", "--kind", "slack", "--set", url)).rejects.toThrow(/add the channel "night"/);
    await expect(run("redeliver", "9999")).rejects.toThrow(/send 9999 again/);
    await expect(run("add", "x", "--kind", "slack", "--set", "nothing")).rejects.toThrow(/expected name=value/);
    expect(await run("remove", "night")).toEqual([expect.objectContaining({ name: "night" })]);
    expect(await run("list")).toEqual([]);
  } finally {
    stop.abort();
    await running;
    slack.close();
  }
});
