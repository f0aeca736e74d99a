import { setTimeout as sleep } from "node:timers/promises";
import { createClient, http, webSocket } from "viem";
import { ServiceUnavailable, UserError } from "../../ops/errors.ts";

/** A connection to one node. */
export interface Connection {
  /** Host only, for messages: paths and query strings of RPC URLs often carry API keys. */
  readonly name: string;
  /** Calls a JSON-RPC method and gives its raw result. Throws RpcError. Calls of one tick share an HTTP batch. */
  request<Result>(method: string, params?: unknown[]): Promise<Result>;
  /** null where the URL is no WebSocket. What was announced while a socket was broken is lost: the listener hears of the break. */
  readonly subscribe: ((topic: SubscriptionTopic, listener: Listener) => Promise<() => Promise<void>>) | null;
  close(): Promise<void>;
}

export type SubscriptionTopic = "newHeads" | "newPendingTransactions";
export interface Listener {
  /** A block's header, or a transaction's hash. */
  onData(result: unknown): void;
  onError(error: Error): void;
}

/** A call to a node failed. */
export class RpcError extends ServiceUnavailable {
  /** The node does not offer the method: another method, or another node, may give the same. */
  readonly unsupported: boolean;
  /** Bounded: a label of a metric. */
  readonly kind: "unsupported" | "rate_limited" | "timeout" | "refused" | "connection";

  constructor(method: string, node: string, cause: unknown) {
    const unsupported = isUnsupported(cause);
    const remedy = unsupported
      ? "expected a node that offers the method; use another RPC URL"
      : "expected an answer; check the RPC URL and that the node is up";
    super(`Cannot call "${method}" on "${node}": ${reasonOf(cause)}, ${remedy}`, { cause });
    this.unsupported = unsupported;
    this.kind = unsupported ? "unsupported" : kindOf(cause);
  }
}

/** At most this many calls in one HTTP batch: the lowest cap among large providers is 100. */
const MAX_BATCH_CALLS = 100;
const CLOSE_MS = 1_000;

/**
 * Connects to an Ethereum node over HTTP or WebSocket. What fails is not tried again here, but for a socket that was closed while
 * it rested.
 *
 * @param url http(s) or ws(s)
 * @param timeoutMs how long a call may take
 */
export function createConnection({ url: text, timeoutMs }: { url: string; timeoutMs: number }): Connection {
  const url = parseUrl(text);
  const name = url.host;
  const shared = { retryCount: 0, timeout: timeoutMs };
  const overSocket = url.protocol.startsWith("ws");
  // viem's own reconnecting reports to the console and keeps dialling after the caller gave up: it is done here instead.
  const socket = () => webSocket(url.href, { ...shared, reconnect: false });
  const client = createClient({
    transport: overSocket ? socket() : http(url.href, { ...shared, batch: { batchSize: MAX_BATCH_CALLS } }),
  });
  let connected = false;
  let closed = false;

  return {
    name,
    async request<Result>(method: string, params: unknown[] = []): Promise<Result> {
      const asked = async () => (await client.request({ method, params } as never)) as Result;
      const call = () => (overSocket ? within(timeoutMs, asked()) : asked());
      try {
        // A block that was read ahead must not open the socket again.
        if (closed) throw new Error("it is closed");
        const result = await call().catch(async (error) => {
          if (closed || !connected || !chain(error).some((link) => link.name === "SocketClosedError")) throw error;
          await closeSocket(); // viem keeps a dead socket until it is closed; the next call opens another
          return call();
        });
        connected = true;
        return result;
      } catch (error) {
        const failed = new RpcError(method, name, error);
        // Open and dead: nobody else would notice for many minutes.
        if (overSocket && connected && failed.kind === "timeout") void closeSocket();
        throw failed;
      }
    },
    subscribe: overSocket ? subscribe : null,
    async close() {
      closed = true;
      if (overSocket && connected) await closeSocket();
    },
  };

  async function subscribe(topic: SubscriptionTopic, { onData, onError }: Listener) {
    try {
      const subscribing = socket()({}).value!.subscribe({
        params: [topic] as never, // its types name one topic only
        onData: ({ result }: { result?: unknown }) => onData(result),
        onError: (error: unknown) => {
          void closeSocket();
          onError(new RpcError("eth_subscribe", name, error));
        },
      });
      const { unsubscribe } = await within(timeoutMs, subscribing);
      connected = true;
      return async () => void (await unsubscribe());
    } catch (error) {
      throw new RpcError("eth_subscribe", name, error);
    }
  }

  /** viem shares one socket a URL; asking for one that is not open would dial, and that must not hold up the end. */
  async function closeSocket(): Promise<void> {
    const opened = socket()({}).value!.getRpcClient();
    const shared = await Promise.race([opened.catch(() => null), sleep(CLOSE_MS, null, { ref: false })]);
    shared?.close();
  }
}

/** viem's time for a call begins when its socket is open, which may never be. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error("no answer in time"), { name: "TimeoutError" });
    timer = setTimeout(() => reject(error), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
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

function kindOf(error: unknown): RpcError["kind"] {
  const links = chain(error);
  const has = (holds: (link: ErrorLink) => boolean) => links.some(holds);
  if (has(({ code, status }) => status === 429 || code === -32005 || code === 429)) return "rate_limited";
  if (has(({ name, code }) => name === "TimeoutError" || code === "ETIMEDOUT")) return "timeout";
  return has(({ code, status }) => (typeof code === "number" && code !== -1) || status !== undefined)
    ? "refused"
    : "connection";
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
