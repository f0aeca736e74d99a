import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { listChangeSchema, namedListSchema } from "./namedLists.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const send = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: {
    authorization: `Bearer ${TOKEN}`,
    "content-type": typeof body === "string" ? "text/plain" : "application/json",
    ...headers,
  },
});
const BAD = "/api/v1/lists/bad";
const put = async (path: string, text: string, status: number) => {
  const answer = await server.get(path, send("PUT", text));
  expect(answer.status, answer.text).toBe(status);
  return listChangeSchema.parse(answer.body());
};

test("a list is made of text, edited, read in pages, asked and removed", async () => {
  const lines = Array.from({ length: 25 }, (_, n) => address(25 - n));
  const made = await put(BAD, `# addresses\n${lines.join("\n")}\n${address(3)} # again`, 201);
  expect(made).toMatchObject({ name: "bad", kind: "address", version: 1, size: 25, added: 25, removed: 0, rules: [] });
  expect(await put(BAD, lines.join("\r\n"), 200)).toMatchObject({ version: 1, added: 0 });
  const edited = await server.get(
    BAD,
    send("PATCH", { add: [address(99), address(1)], remove: [address(2), address(77)] }),
  );
  expect(edited.status, edited.text).toBe(200);
  expect(listChangeSchema.parse(edited.body())).toMatchObject({ version: 2, size: 25, added: 1, removed: 1 });

  expect(await server.read(BAD, namedListSchema)).toMatchObject({ version: 2 });
  expect((await server.read("/api/v1/lists", z.array(namedListSchema))).map(({ name }) => name)).toEqual(["bad"]);
  const seen: string[] = [];
  for (let path: string | undefined = `${BAD}/entries?limit=10`; path; ) {
    const page = await server.get(path);
    seen.push(...(page.body() as string[]));
    path = /<(.*?)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
  }
  expect(seen).toEqual([1, ...Array.from({ length: 23 }, (_, n) => n + 3), 99].map(address));
  for (const [entry, has] of [[address(99).toUpperCase().replace("0X", "0x"), true], [address(2), false]] as const) // biome-ignore format: pairs
    expect((await server.get(`${BAD}/entries/${entry}`)).body()).toEqual({
      list: "bad",
      entry: entry.toLowerCase(),
      has,
    });

  const rule = { name: "uses bad", conditions: { to_in_list: "bad" } };
  expect((await server.get("/api/v1/rules", send("POST", rule))).status).toBe(201);
  expect((await server.problem(BAD, 409, send("DELETE", ""))).detail).toContain("a rule that runs names it (uses-bad)");
  expect(await server.read(BAD, namedListSchema)).toMatchObject({ rules: ["uses-bad"] });
  await server.get("/api/v1/rules/uses-bad/disable", send("POST", ""));
  expect((await server.get(BAD, send("DELETE", ""))).status).toBe(200);
  await server.problem(BAD, 404);
  const said = (await server.get(`${BAD}/audit`)).body() as { action: string; who: string }[];
  expect(said.map(({ action, who }) => `${action} ${who}`)).toEqual(["remove api token", "edit api token", "put api token"]); // biome-ignore format: one expression
});

test("what is wrong is told with its line, or its place", async () => {
  const wrong = await server.problem("/api/v1/lists/x", 400, send("PUT", `${address(1)}\n0x12345678\nvitalik.eth`));
  expect(wrong.errors).toEqual([
    { parameter: "line 2", detail: 'Expected an address: 0x and 40 hexadecimal digits; a list of them is of kind selector; got "0x12345678"' }, // biome-ignore format: a row
    { parameter: "line 3", detail: 'Expected an address: 0x and 40 hexadecimal digits; got "vitalik.eth"' },
  ]);
  expect(await put("/api/v1/lists/x?kind=selector", "0x12345678", 201)).toMatchObject({ kind: "selector", size: 1 });
  expect((await server.problem("/api/v1/lists/x?kind=topic", 409, send("PUT", ""))).detail).toContain("it is of kind selector"); // biome-ignore format: one expression
  const edit = await server.problem(
    "/api/v1/lists/x",
    400,
    send("PATCH", { add: ["0x1"], remove: ["0x12345678", "y"] }),
  );
  expect(edit.errors!.map(({ parameter }) => parameter)).toEqual(["add.0", "remove.1"]);
  const both = await server.problem(
    "/api/v1/lists/x",
    400,
    send("PATCH", { add: ["0xaAaAaAaA"], remove: ["0xaaaaaaaa"] }),
  );
  expect(both.detail).toContain("not to be added as well");
  await server.problem("/api/v1/lists/x", 400, send("PATCH", { adds: [] }));
  await server.problem("/api/v1/lists/x", 400, send("PATCH", "{", { "content-type": "application/json" }));
  await server.problem("/api/v1/lists/x", 401, send("PUT", "", { authorization: "Bearer x" }));
  await server.problem("/api/v1/lists/x", 415, send("PUT", {}));
  await server.problem("/api/v1/lists/No%20list", 400, send("PUT", ""));
  await server.problem("/api/v1/lists/none", 404, send("PATCH", { add: [] }));
  await server.problem("/api/v1/lists/x?kind=mood", 400, send("PUT", ""));
  await server.problem("/api/v1/lists/x/entries?after=0x1", 400);
  await server.problem("/api/v1/lists/x/entries/0x1", 400);
  const unknown = await server.problem(
    "/api/v1/rules",
    400,
    send("POST", { name: "n", conditions: { to_in_list: "bda" } }),
  );
  expect(unknown.detail).toContain('There is no list "bda"');
});
