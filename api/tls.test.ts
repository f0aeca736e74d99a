/** https and mutual TLS with certificates that openssl makes here, CORS, proxies: over one server's app, listening thrice. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRange } from "../engine/access/ranges.ts";
import { behindProxies } from "./network.ts";
import { rawAnswer, startTestServer, type TestServer, TOKEN } from "./testServer.ts";

const run = promisify(execFile);
let server: TestServer;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  server = await startTestServer({ anonymous: null, corsOrigins: ["https://app.example"] });
  folder = await mkdtemp(join(tmpdir(), "weir-tls-"));
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const ca of ["ca", "other-ca"])
    await openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      `${ca}.key`,
      "-out",
      `${ca}.pem`,
      "-days",
      "1",
      "-subj",
      `/CN=${ca}`,
    );
  await writeFile(file("san"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  for (const [name, ca] of [["server", "ca"], ["alice", "ca"], ["mallory", "ca"], ["forged", "other-ca"]] as const) {
    const subject = name === "forged" ? "alice" : name;
    await openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${subject}`);
    await openssl("x509", "-req", "-in", `${name}.csr`, "-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-out", `${name}.pem`, "-days", "1", "-extfile", "san");
  } // biome-ignore format: commands
  await server.access.users.add({ username: "alice", password: "correct horse battery", role: "viewer" }, "tester");
});
afterAll(async () => {
  await server?.close();
  if (folder) await rm(folder, { recursive: true });
});

const listen = (clientCa?: string) =>
  server.another().listen({
    ...{ host: "127.0.0.1", port: 0 },
    tls: { cert: file("server.pem"), key: file("server.key"), clientCa: clientCa && file(clientCa) },
  });
async function ask(url: string, options: RequestOptions = {}) {
  const ca = await readFile(file("ca.pem"));
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(url, { ca, agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    });
    sent.on("error", reject).end();
  });
}
const as = async (name: string) => ({
  cert: await readFile(file(`${name}.pem`)),
  key: await readFile(file(`${name}.key`)),
});

test("https with the configured certificate, and nothing but https", async () => {
  const { url, close } = await listen();
  try {
    expect(url).toMatch(/^https:/);
    expect((await ask(`${url}/health`)).status).toBe(200);
    expect((await ask(`${url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    await expect(ask(`${url}/health`, { ca: await readFile(file("other-ca.pem")) })).rejects.toThrow(/certificate/);
    await expect(fetch(url.replace("https:", "http:"))).rejects.toThrow();
  } finally {
    await close();
  }
});

test("with authorities of clients a certificate is needed, and its name is the user's", async () => {
  const { url, close } = await listen("ca.pem");
  try {
    await expect(ask(`${url}/health`)).rejects.toThrow();
    await expect(ask(`${url}/health`, await as("forged"))).rejects.toThrow();
    const alice = await ask(`${url}/api/v1/auth/me`, await as("alice"));
    expect([alice.status, JSON.parse(alice.text)]).toEqual([200, expect.objectContaining({ name: "alice", role: "viewer", kind: "certificate" })]); // biome-ignore format: one line
    const mallory = await ask(`${url}/api/v1/auth/me`, await as("mallory"));
    expect([mallory.status, mallory.text]).toEqual([403, expect.stringContaining('no user \\"mallory\\"')]);
    const operator = { ...(await as("mallory")), headers: { authorization: `Bearer ${TOKEN}` } };
    expect((await ask(`${url}/api/v1/users`, operator)).status).toBe(200); // what a request carries comes first
    expect((await ask(`${url}/api/v1/users`, await as("alice"))).status).toBe(403);
  } finally {
    await close();
  }
});

test("files that are not there are said with their variable", async () => {
  await expect(listen("missing.pem")).rejects.toThrow(/WEIR_TLS_CLIENT_CA.*cannot be read/s);
});

test("pages of configured origins may read answers, and no others", async () => {
  const from = (origin: string, more: RequestInit = {}) =>
    server.get("/api/v1/auth/me", {
      ...more,
      headers: { origin, "access-control-request-method": "GET", ...more.headers },
    });
  const preflight = await from("https://app.example", { method: "OPTIONS" });
  expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
    204,
    "https://app.example",
  ]);
  expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
  const answer = await from("https://app.example", { headers: { authorization: `Bearer ${TOKEN}` } });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
  expect(answer.headers.get("vary")).toContain("Origin");
  const refused = await from("https://app.example"); // and may read why it was refused
  expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, "https://app.example"]);
  for (const origin of [
    "https://evil.example",
    "http://app.example",
    "https://app.example.evil.example",
    "null",
    "https://app.example/",
  ]) {
    for (const method of ["GET", "OPTIONS"])
      expect((await from(origin, { method })).headers.get("access-control-allow-origin"), origin).toBeNull();
  }
  for (const name of ["access-control-allow-credentials"]) expect(preflight.headers.get(name)).toBeNull();
});

test("of X-Forwarded-For what a trusted proxy wrote is believed, and no more", () => {
  const trusted = ["10.0.0.0/8"].map((text) => parseRange(text)!);
  const of = (peer: string, forwarded?: string) => behindProxies(peer, forwarded, trusted);
  expect(of("192.0.2.1")).toBe("192.0.2.1");
  expect(of("192.0.2.1", "127.0.0.1")).toBe("192.0.2.1"); // who is no proxy may write what it likes
  expect(of("10.0.0.1", "192.0.2.7")).toBe("192.0.2.7");
  expect(of("10.0.0.1", "127.0.0.1, 192.0.2.7")).toBe("192.0.2.7");
  expect(of("::ffff:10.0.0.1", "192.0.2.7, 10.0.0.2")).toBe("192.0.2.7");
  expect(of("10.0.0.1", "10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  expect(of("10.0.0.1")).toBe("10.0.0.1");
  expect(of("10.0.0.1", "nonsense")).toBe("nonsense"); // which no range has
});

test("who sends a request byte by byte is not waited for", async () => {
  const { url, close } = await server.another().listen({ host: "127.0.0.1", port: 0, headersMs: 100 });
  try {
    expect(await rawAnswer(url, "GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: ")).toMatch(/^HTTP\/1\.1 408 /);
  } finally {
    await close();
  }
});
