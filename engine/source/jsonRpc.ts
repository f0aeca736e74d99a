import { setTimeout as sleep } from "node:timers/promises";
import { createClient, fallback, http, type Transport, webSocket } from "viem";
import { ServiceUnavailable, UserError } from "../ops/errors.ts";

/** A connection to one node, or to several that stand in for each other. */
export type RpcClient = {
  /** Host names only, for messages: paths and query strings of RPC URLs often carry API keys. */
  name: string;
  /** Calls a JSON-RPC method and gives its raw result. Throws RpcError. Calls of one tick share an HTTP batch. */
  request<Result>(method: string, params?: unknown[]): Promise<Result>;
  /** Subscribes to hashes of pending transactions; null when no URL is a WebSocket. */
  subscribePending: ((listener: PendingListener) => Promise<() => Promise<void>>) | null;
  close(): Promise<void>;
};

export type PendingListener = { onHash(hash: string): void; onError(error: Error): void };

/** A call to a node failed for good: retries and the other URLs are used up. */
export class RpcError extends ServiceUnavailable {
  /** The node does not offer the method: another method may give the same. */
  readonly unsupported: boolean;

  constructor(method: string, node: string, cause: unknown) {
    const unsupported = isUnsupported(cause);
    const remedy = unsupported
      ? "expected a node that offers the method; use another RPC URL"
      : "expected an answer; check the RPC URL and that the node is up";
    super(`Cannot call "${method}" on "${node}": ${reasonOf(cause)}, ${remedy}`, { cause });
    this.unsupported = unsupported;
  }
}

/** At most this many calls in one HTTP batch: the lowest cap among large providers is 100. */
const MAX_BATCH_CALLS = 100;
const MAX_URLS = 16;
const CLOSE_MS = 1_000;

/**
 * Connects to Ethereum nodes over HTTP or WebSocket.
 *
 * @param urls http(s) or ws(s) URLs; the first that answers serves a call
 * @param timeoutMs how long one attempt may take
 * @param retries further attempts a URL gets after an error that may pass
 */
export function createRpcClient(options: { urls: string[]; timeoutMs?: number; retries?: number }): RpcClient {
  const { urls, timeoutMs = 30_000, retries = 3 } = options;
  if (urls.length === 0 || urls.length > MAX_URLS) {
    throw new UserError(`Cannot connect to a node: ${urls.length} RPC URLs given, expected 1 to ${MAX_URLS}`);
  }
  const parsed = urls.map(parseUrl);
  const name = parsed.map((url) => url.host).join(", ");
  const shared = { retryCount: retries, timeout: timeoutMs };
  // viem's own reconnecting reports to the console and keeps dialling after the caller gave up: it is done here instead.
  const socket = (url: URL) => webSocket(url.href, { ...shared, reconnect: false });
  const transports = parsed.map(
    (url): Transport =>
      isSocket(url) ? socket(url) : http(url.href, { ...shared, batch: { batchSize: MAX_BATCH_CALLS } }),
  );
  const client = createClient({ transport: transports.length === 1 ? transports[0]! : fallback(transports) });
  const socketUrl = parsed.find(isSocket);
  let connected = false;

  return {
    name,
    async request<Result>(method: string, params: unknown[] = []): Promise<Result> {
      const call = async () => (await client.request({ method, params } as never)) as Result;
      try {
        const result = await call().catch(async (error) => {
          if (!connected || !chain(error).some((link) => link.name === "SocketClosedError")) throw error;
          await closeSockets(); // viem keeps a dead socket until it is closed; the next call opens another
          return call();
        });
        connected = true;
        return result;
      } catch (error) {
        throw new RpcError(method, name, error);
      }
    },
    subscribePending: socketUrl ? subscribePending : null,
    async close() {
      if (connected) await closeSockets();
    },
  };

  async function subscribePending({ onHash, onError }: PendingListener) {
    try {
      const { unsubscribe } = await socket(socketUrl!)({}).value!.subscribe({
        params: ["newPendingTransactions"],
        onData: ({ result }: { result?: unknown }) => typeof result === "string" && onHash(result),
        onError: (error: unknown) => {
          void closeSockets();
          onError(new RpcError("eth_subscribe", socketUrl!.host, error));
        },
      });
      return async () => void (await unsubscribe());
    } catch (error) {
      throw new RpcError("eth_subscribe", socketUrl!.host, error);
    }
  }

  /** viem shares one socket a URL; asking for one that is not open would dial, and that must not hold up the end. */
  async function closeSockets(): Promise<void> {
    for (const url of parsed.filter(isSocket)) {
      const opened = socket(url)({}).value!.getRpcClient();
      const shared = await Promise.race([opened.catch(() => null), sleep(CLOSE_MS, null, { ref: false })]);
      shared?.close();
    }
  }
}

function isSocket(url: URL): boolean {
  return url.protocol.startsWith("ws");
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^(https?|wss?):$/.test(url.protocol)) {
    throw new UserError(`Cannot connect to "${text.slice(0, 40)}": not an RPC URL, expected http(s)://… or ws(s)://…`);
  }
  return url;
}

/** Nodes disagree on how to say "no such method": code -32601 or -32004, or only a sentence. */
function isUnsupported(error: unknown): boolean {
  return chain(error).some(
    ({ code, message }) =>
      code === -32601 ||
      code === -32004 ||
      /method not found|(does not exist|not supported|unsupported).*method|method.*(does not exist|not (supported|available|found))/i.test(
        String(message),
      ),
  );
}

/** The innermost plain reason; viem's own messages repeat the URL (with its key) and the request body. */
function reasonOf(error: unknown): string {
  const links = chain(error);
  const system = links.find(({ code }) => typeof code === "string");
  if (system) return String(system.code);
  // viem gives failures of its own the code -1.
  const answered = links.find(({ code }) => typeof code === "number" && code !== -1);
  if (answered) return `error ${answered.code}, ${String(answered.details ?? answered.message).slice(0, 300)}`;
  const status = links.find(({ status }) => typeof status === "number");
  if (status) return `HTTP status ${status.status}`;
  if (links.some((link) => link.name === "TimeoutError")) return "no answer in time";
  const { details, message } = links.at(-1)!;
  // A WebSocket of Node's own (from 22) does not say why.
  return String(details || message).slice(0, 300) || "the connection could not be opened";
}

type ErrorLink = {
  name?: unknown;
  code?: unknown;
  status?: unknown;
  details?: unknown;
  message?: unknown;
  cause?: unknown;
};

/** An error and its causes, outermost first; AggregateError (one per address tried) counts by its first. */
function chain(error: unknown): ErrorLink[] {
  const links: ErrorLink[] = [];
  let link = error as (ErrorLink & { errors?: unknown[] }) | undefined;
  while (link && typeof link === "object" && links.length < 20) {
    links.push(link);
    link = (link.cause ?? link.errors?.[0]) as typeof link;
  }
  return links.length > 0 ? links : [{ message: String(error) }];
}
