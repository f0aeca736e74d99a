/** Every route × every role × nobody, over the real app: what the table says is what is answered. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { atLeast, ROLES, type Role } from "../../engine/access/roles.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { PERMISSIONS, permissionOf } from "./permissions.ts";

let server: TestServer;
const keys = {} as Record<Role, string>;

beforeAll(async () => {
  server = await startTestServer({ anonymous: null });
  const { users, keys: store } = server.access;
  for (const role of ROLES) {
    const user = await users.add({ username: `one-${role}`, password: "correct horse battery", role }, "tester");
    keys[role] = (await store.create(user, { name: "matrix", role }, "tester")).key;
  }
});
afterAll(() => server?.close());

/** As served, but for what answers all paths. */
const served = () => [
  ...new Set(server.app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`)),
];

test("the table has every route that is served, and no other", () => {
  expect(
    served().filter((route) => !PERMISSIONS.has(route)),
    "add them to api/auth/permissions.ts",
  ).toEqual([]);
  expect([...PERMISSIONS.keys()].filter((route) => !served().includes(route))).toEqual([]);
  expect(permissionOf("GET /not/in/the/table")).toBe("admin");
  expect(permissionOf("GET /api/v1/rules/{name}")).toBe("viewer");
});

test("every route lets in whom it should, and nobody else", async () => {
  /** Of things that are not there: a handler that is reached answers something else than 401 and 403. */
  const ask = (route: string, key: string | undefined) => {
    const [method, path] = route.split(" ") as [string, string];
    // with a mistake: right, its answer has no end
    const at = (path === "/sse/stream" ? `${path}?channels=none` : path)
      .replace(":hash", `0x${"0".repeat(64)}`)
      .replace(/:\w+/g, "999999");
    const headers = { ...(key && { "x-api-key": key }), "content-type": "application/json" };
    return server.get(at, { method, headers, ...(method === "GET" ? {} : { body: "{}" }) });
  };
  const wrong: string[] = [];
  for (const route of served()) {
    const permission = permissionOf(route);
    for (const role of [undefined, ...ROLES]) {
      const { status, text } = await ask(route, role && keys[role]);
      const open = permission === "open" || permission === "local";
      const may = open || (role !== undefined && atLeast(role, permission));
      const got = status === 401 && /^.{0,60}(Missing|Invalid) API key/.test(JSON.parse(text).detail) ? 401 : status;
      const right = may ? got !== 401 && got !== 403 : got === (role === undefined ? 401 : 403);
      if (!right) wrong.push(`${route} as ${role}: ${status} ${text.slice(0, 200)}`);
      expect(status, `${route}: ${text}`).toBeLessThan(500);
    }
  }
  expect(wrong).toEqual([]);
});

test("the OpenAPI document says the same", () => {
  const schemes = Object.keys(server.document.components?.securitySchemes ?? {});
  expect(schemes).toEqual(["bearer", "apiKey"]);
  for (const [path, item] of Object.entries(server.document.paths ?? {}))
    for (const [method, operation] of Object.entries(
      item as Record<string, { security?: unknown; responses: object }>,
    )) {
      const open = permissionOf(`${method.toUpperCase()} ${path}`) === "open";
      expect(operation.security !== undefined, `${method} ${path}`).toBe(!open);
      if (!open) expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["401", "403"]));
    }
});
