/** Logins, sessions, keys, tickets, users and the audit log, as a client meets them. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { z } from "zod";
import { testModule } from "../../engine/sandbox/testModule.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { auditSchema } from "./auditRoutes.ts";
import { keySchema, newKeySchema } from "./keyRoutes.ts";
import { meSchema, tokensSchema } from "./loginRoutes.ts";
import { sessionSchema, userSchema } from "./shapes.ts";

const PASSWORD = "correct horse battery";
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ anonymous: null, apiKeys: ["a-configured-key"] });
});
afterAll(() => server?.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const operator = bearer(TOKEN);
const send = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  ...{ method, body: typeof body === "string" ? body : JSON.stringify(body) },
  headers: { "content-type": "application/json", ...headers },
});
async function ok<S extends z.ZodType>(path: string, schema: S, init: RequestInit, status = 200): Promise<z.output<S>> {
  const answer = await server.get(path, init);
  expect(answer.status, `${path}: ${answer.text}`).toBe(status);
  const parsed = schema.parse(answer.body());
  expect(parsed).toEqual(answer.body());
  return parsed;
}
const addUser = (username: string, role = "user") =>
  ok("/api/v1/users", userSchema, send("POST", { username, password: PASSWORD, role }, operator), 201);
const login = (username: string, base = "/api/v1/auth") =>
  ok(`${base}/login`, tokensSchema, send("POST", { username, password: PASSWORD }));
const me = (headers: Record<string, string>) => ok("/api/v1/auth/me", meSchema, { headers });

describe("a login", () => {
  test("gives tokens at the canonical path and at the alias; they are shown nowhere else", async () => {
    await addUser("alice");
    for (const base of ["/api/v1/auth", "/auth"]) {
      const tokens = await login("alice", base);
      expect(tokens).toMatchObject({ token_type: "bearer", expires_in: 900 });
      expect(await me(bearer(tokens.access_token))).toMatchObject({ name: "alice", role: "user", kind: "session" });
      expect(server.log()).not.toContain(tokens.access_token);
    }
    const { headers } = await server.get("/auth/login", send("POST", { username: "alice", password: PASSWORD }));
    expect(headers.get("cache-control")).toBe("no-store");
    expect(server.log()).not.toContain(PASSWORD);
  });

  test("that is wrong says the same of every name; five of them lock it for a minute", async () => {
    const said = new Set<string>();
    for (const username of ["alice", "nobody", "' OR '1'='1", "x".repeat(256), "Ω"])
      said.add(
        (await server.problem("/auth/login", 401, send("POST", { username, password: "wrong password" }))).detail,
      );
    expect([...said]).toEqual(["Wrong username or password"]);
    for (let n = 0; n < 4; n++)
      await server.problem("/auth/login", 401, send("POST", { username: "ghost", password: "x" }));
    await server.problem("/auth/login", 401, send("POST", { username: "ghost", password: "x" }));
    const locked = await server.get("/auth/login", send("POST", { username: "ghost", password: "x" }));
    expect([locked.status, Number(locked.headers.get("retry-after"))]).toEqual([429, expect.closeTo(60, -1)]);
  });

  test("that cannot be read is a 400, 413 or 415", async () => {
    for (const body of ["", "{", "[]", "null", { username: "alice" }, { username: "", password: "x" }, { username: 1, password: "x" }, { username: "a", password: "b", role: "admin" }, { username: ["alice"], password: PASSWORD }, { username: "alice\u0000", password: PASSWORD }, { username: "alice\ud800", password: PASSWORD }])
      await server.problem("/auth/login", 400, send("POST", body)); // biome-ignore format: a table
    await server.problem("/auth/login", 413, send("POST", { username: "alice", password: "x".repeat(5_000) }));
    await server.problem("/auth/login", 415, { ...send("POST", {}), headers: { "content-type": "text/plain" } });
    const huge = await server.get("/health", { headers: { "x-large": "x".repeat(20_000) } });
    expect(huge.status).toBe(431);
  });
});

describe("a session", () => {
  test("goes on by refresh tokens that are good once: one that is used again ends it for everybody", async () => {
    const first = await login("alice");
    const refresh = (refresh_token: string) => send("POST", { refresh_token });
    const second = await ok("/auth/refresh", tokensSchema, refresh(first.refresh_token));
    expect(await me(bearer(second.access_token))).toMatchObject({ name: "alice" });
    expect(await me(bearer(first.access_token))).toMatchObject({ name: "alice" }); // the same session
    await server.problem("/auth/refresh", 401, refresh(first.refresh_token));
    await server.problem("/auth/refresh", 401, refresh(second.refresh_token));
    await server.problem("/api/v1/auth/me", 401, { headers: bearer(second.access_token) });
    for (const wrong of [second.access_token, "x", "a.b.c"]) await server.problem("/auth/refresh", 401, refresh(wrong));
    await server.problem("/api/v1/auth/me", 401, { headers: bearer(first.refresh_token) });
    const [ended] = await ok("/api/v1/audit?action=end%20session&limit=1", auditSchema.array(), { headers: operator });
    expect(ended).toMatchObject({ who: "alice", ip: null, after: { reason: "reuse", rotation: 0 } });
  });

  test("is listed and ended by its own user, or an administrator", async () => {
    const bob = await addUser("bob");
    const [one, two] = [await login("bob"), await login("bob")];
    const sessions = await ok("/auth/sessions", sessionSchema.array(), { headers: bearer(one.access_token) });
    expect(sessions).toHaveLength(2);
    expect(sessions[0]).toMatchObject({ ip: "127.0.0.1", user_agent: "node" });
    const alice = bearer((await login("alice")).access_token);
    await server.problem(`/auth/sessions/${sessions[0]!.id}`, 404, { method: "DELETE", headers: alice });
    await server.problem("/auth/sessions/nonsense", 400, { method: "DELETE", headers: alice });
    await server.get("/auth/logout", { method: "POST", headers: bearer(one.access_token) });
    await server.problem("/api/v1/auth/me", 401, { headers: bearer(one.access_token) });
    expect(await me(bearer(two.access_token))).toMatchObject({ name: "bob" });
    const [left] = await ok(`/api/v1/users/${bob.id}/sessions`, sessionSchema.array(), { headers: operator });
    await server.get(`/api/v1/users/${bob.id}/sessions/${left!.id}`, { method: "DELETE", headers: operator });
    await server.problem("/api/v1/auth/me", 401, { headers: bearer(two.access_token) });
    await server.problem("/auth/logout", 409, { method: "POST", headers: operator });
  });

  test("ends with a new password, which needs the old one", async () => {
    const tokens = await login("bob");
    const change = (current_password: string, new_password: string) =>
      send("POST", { current_password, new_password }, bearer(tokens.access_token));
    await server.problem("/auth/password", 401, change("wrong password", "another good password"));
    await server.problem("/auth/password", 400, change(PASSWORD, "short"));
    await ok("/auth/password", userSchema, change(PASSWORD, "another good password"));
    await server.problem("/api/v1/auth/me", 401, { headers: bearer(tokens.access_token) });
    await server.problem("/auth/login", 401, send("POST", { username: "bob", password: PASSWORD }));
    await ok("/auth/login", tokensSchema, send("POST", { username: "bob", password: "another good password" }));
  });
});

describe("an API key", () => {
  test("is made by a login, shown once, counted, and worth nothing once revoked", async () => {
    const alice = bearer((await login("alice")).access_token);
    const made = await ok(
      "/auth/api-keys",
      newKeySchema,
      send("POST", { name: "My API Key", expires_in_days: 30 }, alice),
      201,
    );
    expect(made).toMatchObject({ name: "My API Key", role: "user", uses: 0, prefix: made.key.slice(0, 13) });
    for (const headers of [{ "x-api-key": made.key }, bearer(made.key)])
      expect(await me(headers)).toMatchObject({ name: "alice", kind: "key", role: "user" });
    const listed = await ok("/auth/api-keys", keySchema.array(), { headers: alice });
    expect(listed).toMatchObject([{ id: made.id, uses: 2, last_ip: "127.0.0.1" }]);
    await server.problem("/auth/api-keys", 409, send("POST", { name: "child" }, { "x-api-key": made.key }));
    await server.problem("/auth/api-keys", 409, send("POST", { name: "nobody's" }, operator));
    await addUser("carol");
    const carol = bearer((await login("carol")).access_token);
    await server.problem(`/auth/api-keys/${made.id}`, 404, { method: "DELETE", headers: carol });
    await ok(`/auth/api-keys/${made.id}`, keySchema, { method: "DELETE", headers: alice });
    await server.problem("/api/v1/auth/me", 401, { headers: { "x-api-key": made.key } });
    for (const body of [{}, { name: "" }, { name: "x", expires_in_days: 0 }, { name: "x", allow_ips: ["evil"] }, { name: "x\u0000" }, { name: "x", role: "god" }, { name: "x", user_id: 1 }])
      await server.problem("/auth/api-keys", 400, send("POST", body, alice)); // biome-ignore format: a table
  });

  test("may less than its user, and from where it says", async () => {
    const alice = bearer((await login("alice")).access_token);
    const make = (body: object) => ok("/auth/api-keys", newKeySchema, send("POST", { name: "x", ...body }, alice), 201);
    const viewer = await make({ role: "viewer" });
    expect(await me({ "x-api-key": viewer.key })).toMatchObject({ role: "viewer" });
    await server.problem("/api/v1/rules/x/enable", 403, { method: "POST", headers: { "x-api-key": viewer.key } });
    expect((await make({ role: "admin" })).role).toBe("user");
    const here = await make({ allow_ips: ["127.0.0.0/8"] });
    const elsewhere = await make({ allow_ips: ["10.0.0.0/8", "2001:db8::1"] });
    expect(await me({ "x-api-key": here.key })).toMatchObject({ name: "alice" });
    const { detail } = await server.problem("/api/v1/auth/me", 403, { headers: { "x-api-key": elsewhere.key } });
    expect(detail).toBe("The API key is not accepted from 127.0.0.1");
  });

  test("that is configured is a user, but none in particular", async () => {
    const headers = { "x-api-key": "a-configured-key" };
    expect(await me(headers)).toMatchObject({ kind: "key", role: "user", user: null });
    await server.problem("/auth/api-keys", 409, { headers });
    await server.problem("/api/v1/users", 403, { headers });
  });
});

describe("users", () => {
  test("are managed by administrators, who cannot lock themselves out", async () => {
    const root = await addUser("root", "admin");
    const admin = bearer((await login("root")).access_token);
    const dave = await ok(
      "/api/v1/users",
      userSchema,
      send("POST", { username: "Dave", password: PASSWORD, role: "viewer" }, admin),
      201,
    );
    const headers = bearer((await login("dave")).access_token);
    expect(await me(headers)).toMatchObject({ role: "viewer" });
    await ok(`/api/v1/users/${dave.id}`, userSchema, send("PATCH", { role: "admin" }, admin));
    expect(await me(headers)).toMatchObject({ role: "admin" }); // at once, with the token it had
    await ok(`/api/v1/users/${dave.id}`, userSchema, send("PATCH", { disabled: true }, admin));
    await server.problem("/api/v1/auth/me", 401, { headers });
    await server.problem(`/api/v1/users/${root.id}`, 409, send("PATCH", { role: "user" }, admin));
    await ok(`/api/v1/users/${dave.id}`, userSchema, { method: "DELETE", headers: admin });
    await server.problem(`/api/v1/users/${dave.id}`, 404, { headers: admin });
    await server.problem(
      "/api/v1/users",
      409,
      send("POST", { username: "dave", password: PASSWORD, role: "user" }, admin),
    );
    for (const body of [{}, { role: "god" }, { id: 1 }, { disabled: "yes" }, { password: "short" }])
      await server.problem(`/api/v1/users/${root.id}`, 400, send("PATCH", body, admin));
    for (const id of ["0", "x", "1;DROP TABLE users", "99999999999999999999"])
      await server.problem(`/api/v1/users/${encodeURIComponent(id)}`, 400, { headers: admin });
    const all = await server.get("/api/v1/users?limit=2", { headers: admin });
    expect([all.headers.get("x-total-count"), (all.body() as unknown[]).length]).toEqual([
      expect.stringMatching(/^\d+$/),
      2,
    ]);
    expect(all.headers.get("link")).toContain('rel="next"');
    expect(all.text).not.toContain("argon2");
  });

  test("change rules and lists that are their own, and no others", async () => {
    const [alice, carol] = [bearer((await login("alice")).access_token), bearer((await login("carol")).access_token)];
    const upload = (headers: Record<string, string>): RequestInit => ({
      method: "PUT",
      body: new Uint8Array(testModule({ manifest: JSON.stringify({ name: "hers" }) })),
      headers: { "content-type": "application/wasm", ...headers },
    });
    const made = await server.get("/api/v1/rules/hers", upload(alice));
    expect([made.status, made.body()]).toEqual([
      201,
      expect.objectContaining({ owner: "alice", uploaded_by: "alice" }),
    ]);
    const json = { name: "hers", conditions: { value_gte: "1" }, actions: {} };
    for (const [path, init] of [
      ["/api/v1/rules/hers", upload(carol)],
      ["/api/v1/rules/hers/disable", { method: "POST", headers: carol }],
      ["/api/v1/rules/hers/parameters", send("PATCH", {}, carol)],
      ["/api/v1/rules", send("POST", json, carol)],
    ] as const)
      expect((await server.problem(path, 403, init)).detail).toBe(
        'Cannot change the rule "hers": it is "alice"\'s, expected one of your own',
      );
    const list = { ...send("PUT", `0x${"1".repeat(40)}`, { ...alice, "content-type": "text/plain" }) };
    expect((await server.get("/api/v1/lists/her-list", list)).status).toBe(201);
    await server.problem("/api/v1/lists/her-list", 403, {
      ...list,
      headers: { ...carol, "content-type": "text/plain" },
    });
    await server.problem("/api/v1/lists/her-list", 403, { method: "DELETE", headers: carol });
    expect((await server.get("/api/v1/rules/hers/disable", { method: "POST", headers: operator })).status).toBe(200);
    expect((await server.get("/api/v1/rules/hers/enable", { method: "POST", headers: alice })).status).toBe(200);
  });
});

describe("the audit log", () => {
  const read = (query: string) => ok(`/api/v1/audit?${query}`, auditSchema.array(), { headers: operator });

  test("has who, what, before, after and from where, with filters", async () => {
    const [entry] = await read("subject=rule%20hers&action=upload");
    expect(entry).toMatchObject({
      who: "alice",
      before: null,
      ip: "127.0.0.1",
      via: expect.stringMatching(/^session /),
    });
    expect((await read("subject=rule%20hers&who=api%20token")).map(({ action }) => action)).toEqual(["disable"]);
    expect((await read("subject=user%20*")).every(({ subject }) => subject.startsWith("user "))).toBe(true);
    expect((await read("subject=%25")).length).toBe(0);
    expect(await read("since=2200-01-01")).toEqual([]);
    expect(await read("who=' OR 1=1 --")).toEqual([]);
    expect(JSON.stringify(await read("limit=1000"))).not.toMatch(/argon2|password_hash|weir_[0-9a-f]{8}_/);
  });

  test("is read page by page, and nothing is seen twice while it grows", async () => {
    const seen: number[] = [];
    for (let path: string | undefined = "/api/v1/audit?limit=5"; path !== undefined; ) {
      const page = await server.get(path, { headers: operator });
      seen.push(...(page.body() as { id: number }[]).map(({ id }) => id));
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
      if (seen.length === 5) await login("alice");
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
    expect(seen.at(-1)).toBe(1);
    await server.problem("/api/v1/audit?limit=0", 400, { headers: operator });
    for (const query of [
      "nonsense=1",
      "who=%00",
      "subject=a%00*",
      "ip=%00",
      "since=never",
      "before_id=-1",
      "limit=1001",
    ])
      await server.problem(`/api/v1/audit?${query}`, 400, { headers: operator });
  });
});

test("a ticket stands for who asked for it, once", async () => {
  const alice = bearer((await login("alice")).access_token);
  const { ticket } = (await server.get("/auth/ticket", { method: "POST", headers: alice })).body() as {
    ticket: string;
  };
  await server.problem("/api/v1/auth/me", 401, { headers: bearer(ticket) });
  expect(server.log()).not.toContain(ticket);
});

test("a stream ends when what it was opened with is revoked, others go on", async () => {
  await addUser("streamer");
  const { access_token } = await login("streamer");
  const makeKey = (name: string) =>
    ok("/api/v1/auth/api-keys", newKeySchema, send("POST", { name }, bearer(access_token)), 201);
  const [gone, kept] = [await makeKey("gone"), await makeKey("kept")];
  const { ticket } = (await server.get("/auth/ticket", send("POST", "", { "x-api-key": gone.key }))).body() as { ticket: string }; // biome-ignore format: one line
  const open = (path: string, headers: Record<string, string> = {}) => {
    const ws = new WebSocket(server.url.replace("http", "ws") + path, { headers });
    return { ws, closed: once(ws, "close"), opened: once(ws, "open") };
  };
  const [byHeader, byTicket, byMessage, stays, session] = [
    open("/ws/alerts", { "x-api-key": gone.key }),
    open(`/ws/alerts?ticket=${ticket}`),
    open("/ws"),
    open("/ws/alerts", { "x-api-key": kept.key }),
    open("/ws/alerts", bearer(access_token)),
  ];
  await Promise.all([byHeader, byTicket, byMessage, stays, session].map(({ opened }) => opened));
  byMessage.ws.send(JSON.stringify({ type: "auth", data: { token: gone.key } }));
  await once(byMessage.ws, "message");
  const events = await fetch(`${server.url}/sse/stream`, { headers: { "x-api-key": gone.key } });
  const reading = events.text(); // to its end
  await ok(`/api/v1/auth/api-keys/${gone.id}`, keySchema, { method: "DELETE", headers: bearer(access_token) });
  for (const { closed } of [byHeader, byTicket, byMessage]) {
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1008, "What it was opened with is not valid any more"]);
  }
  expect(await reading).toContain("retry: 1000");
  expect([stays.ws.readyState, session.ws.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  await server.get("/auth/logout", send("POST", "", bearer(access_token)));
  expect((await session.closed)[0]).toBe(1008);
  expect(stays.ws.readyState).toBe(WebSocket.OPEN);
  stays.ws.terminate();
});
