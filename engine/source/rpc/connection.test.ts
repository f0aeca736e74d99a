import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createConnection, RpcError } from "./connection.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A node that answers every HTTP request with this. */
async function nodeThat(answer: {
  status?: number;
  body: string | ((asked: { id: number }) => object);
}): Promise<string> {
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = JSON.parse(Buffer.concat(parts).toString());
    response.statusCode = answer.status ?? 200;
    response.setHeader("content-type", "application/json");
    const { body } = answer;
    response.end(
      typeof body === "string" ? body : JSON.stringify(Array.isArray(asked) ? asked.map(body) : body(asked)),
    );
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server!.address() as AddressInfo).port}/v2/secret-key`;
}

async function failureOf(url: string, timeoutMs = 5000): Promise<RpcError> {
  return createConnection({ url, timeoutMs })
    .request("eth_chainId")
    .then(
      () => Promise.reject(new Error("it answered")),
      (error) => error,
    );
}

describe("createConnection()", () => {
  it("gives the node's raw result", async () => {
    const url = await nodeThat({ body: ({ id }) => ({ jsonrpc: "2.0", id, result: { number: "0x05" } }) });
    expect(await createConnection({ url, timeoutMs: 5000 }).request("eth_anything")).toEqual({ number: "0x05" });
  });

  it.each([
    [-32601, "Method not found", "unsupported"],
    [-32601, "the method eth_getBlockReceipts does not exist/is not available", "unsupported"],
    [-32000, "method not supported on this plan", "unsupported"],
    [-32000, "header not found", "refused"],
    [-32005, "rate limit exceeded", "rate_limited"],
  ])("tells whether another method could help: %i %s", async (code, message, kind) => {
    const url = await nodeThat({ body: ({ id }) => ({ jsonrpc: "2.0", id, error: { code, message } }) });
    const error = await failureOf(url);
    expect(error).toBeInstanceOf(RpcError);
    expect([error.kind, error.unsupported]).toEqual([kind, kind === "unsupported"]);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("secret-key");
  });

  it.each([
    ["an HTTP error", { status: 503, body: "{}" }, "refused", "HTTP status 503"],
    ["too many calls", { status: 429, body: "{}" }, "rate_limited", "HTTP status 429"],
    ["no JSON", { body: "<html>login</html>" }, "connection", "expected an answer; check the RPC URL"],
  ])("explains %s", async (_, answer, kind, wanted) => {
    const error = await failureOf(await nodeThat(answer));
    expect(error.message).toMatch(/^Cannot call "eth_chainId" on "127\.0\.0\.1:\d+": /);
    expect(error.message).toContain(wanted);
    expect(error.kind).toBe(kind);
    expect(error.message).not.toContain("secret-key");
  });

  it("gives up on a node that stays silent", async () => {
    server = createServer(() => undefined);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(`http://127.0.0.1:${port}`, 50);
    expect([error.kind, error.message]).toEqual(["timeout", expect.stringContaining("no answer in time")]);
  });

  it("refuses what is not an RPC URL, without repeating all of it", () => {
    expect(() => createConnection({ url: "ftp://node", timeoutMs: 1 })).toThrow(
      'Cannot connect to "ftp://node": not an RPC URL, expected http(s)://',
    );
  });
});
