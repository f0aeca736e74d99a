import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOOPBACK } from "../../engine/access/ranges.ts";
import { isPublic } from "./address.ts";
import { createOutbound } from "./outbound.ts";
import { SendError } from "./sendError.ts";

let server: Server;
let port: number;
const paths: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url!);
    if (request.url === "/redirect") response.writeHead(302, { location: `http://127.0.0.1:${port}/secret` }).end();
    else if (request.url === "/slow") setTimeout(() => response.end("late"), 2_000).unref();
    else if (request.url === "/large") response.end("x".repeat(1_000_000));
    else if (request.url === "/drop") request.socket.destroy();
    else response.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

const post = (url: string, options = {}) => createOutbound(options)({ method: "POST", url, body: "{}" });

test("only addresses of the open internet are", () => {
  for (const address of ["1.1.1.1", "93.184.216.34", "2606:4700::1111"]) expect(isPublic(address), address).toBe(true);
  const others = [
    ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
    ...["255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"],
    ...["2002:7f00:1::", "2001:0:4136:e378::", "ff02::1", "198.18.0.1", "192.0.2.1", "2001:db8::1", "no address"],
  ];
  for (const address of others) expect(isPublic(address), address).toBe(false);
});

test("private addresses are refused however they are written, and nothing is sent", async () => {
  const hosts = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0",
    "127.1",
  ];
  for (const host of hosts) {
    const error = await post(`http://${host}:${port}/`).catch((reason: unknown) => reason);
    expect(error, host).toBeInstanceOf(SendError);
    expect((error as SendError).message, host).toContain("WEIR_NOTIFY_ALLOWED_RANGES");
    expect((error as SendError).permanent, host).toBe(true);
  }
  for (const url of [
    "file:///etc/passwd",
    "ftp://example.com",
    "http://user:pass@example.com/",
    "http://",
    "javascript:1",
  ])
    await expect(post(url), url).rejects.toMatchObject({ permanent: true });
  expect(paths).toEqual([]);
});

test("what is allowed is reached; a redirect is not followed, an answer is cut, silence ends", async () => {
  const allowed = { allowed: LOOPBACK };
  expect(await post(`http://localhost:${port}/`, allowed)).toMatchObject({ status: 200, body: "ok" });
  expect((await post(`http://127.0.0.1:${port}/redirect`, allowed)).status).toBe(302);
  expect((await post(`http://127.0.0.1:${port}/large`, allowed)).body).toHaveLength(8_192);
  const impatient = { ...allowed, timeoutMs: 200 };
  await expect(post(`http://127.0.0.1:${port}/slow`, impatient)).rejects.toThrow("no answer within 0.2 s");
  await expect(post(`http://127.0.0.1:${port}/drop`, allowed)).rejects.toMatchObject({ permanent: false });
  expect(paths).not.toContain("/secret");
});
