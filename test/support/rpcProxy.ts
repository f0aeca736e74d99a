import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcCall {
  readonly method: string;
  readonly params: unknown[];
}
/** What becomes of a call: as the node answers it, another result, an error, or the connection is closed without an answer. */
export type Meddling = undefined | { result: unknown } | { error: { code: number; message: string } } | "hang up";
/** @param ask gives what the node answers to this call, or another */
export type Meddle = (call: RpcCall, ask: (call?: RpcCall) => Promise<unknown>) => Meddling | Promise<Meddling>;

export interface RpcProxy {
  readonly url: string;
  /** How often each method was asked for. */
  readonly asked: Map<string, number>;
  /** From now on. */
  meddle(with_: Meddle): void;
  stop(): Promise<void>;
}

/** Stands between us and a node, and meddles with the calls of JSON-RPC over HTTP, one by one in a batch, too. */
export async function startRpcProxy(upstream: string, meddle: Meddle = () => undefined): Promise<RpcProxy> {
  type Request = RpcCall & { id: number };
  const asked = new Map<string, number>();
  let meddling = meddle;

  async function forward(call: RpcCall): Promise<{ result?: unknown; error?: unknown }> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: call.method, params: call.params });
    const answer = await fetch(upstream, { method: "POST", headers: { "content-type": "application/json" }, body });
    return (await answer.json()) as { result?: unknown };
  }

  async function answer({ id, method, params }: Request): Promise<object | "hang up"> {
    asked.set(method, (asked.get(method) ?? 0) + 1);
    const call = { method, params };
    const changed = await meddling(call, async (other = call) => (await forward(other)).result);
    if (changed === "hang up") return changed;
    const { result, error } =
      changed === undefined ? await forward(call) : (changed as { error?: unknown; result?: unknown });
    return { jsonrpc: "2.0", id, ...(error === undefined ? { result } : { error }) };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const calls = JSON.parse(Buffer.concat(parts).toString()) as Request | Request[];
    const answers = await Promise.all([calls].flat().map(answer));
    if (answers.includes("hang up")) return void request.socket.destroy();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(Array.isArray(calls) ? answers : answers[0]));
  }

  const server = createServer(
    (request, response) => void handle(request, response).catch(() => request.socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    meddle: (next) => void (meddling = next),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
