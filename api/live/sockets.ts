/** The WebSockets of the API: from the upgrade of a request to a connection that speaks the protocol of its path. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Log } from "../../engine/ops/log.ts";
import type { Metrics } from "../../engine/ops/metrics.ts";
import type { Principal } from "../auth/principal.ts";
import { type Connection, type ConnectionOptions, type OnSlow, serveConnection } from "./connection.ts";
import type { Doorman } from "./doorman.ts";
import type { Channel } from "./event.ts";
import { readFilters } from "./filters.ts";
import type { Hub } from "./hub.ts";
import { channelProtocol } from "./protocols/channel.ts";
import { clientProtocol } from "./protocols/client.ts";
import { feedProtocol } from "./protocols/feed.ts";
import { anyOf, type Protocol } from "./protocols/protocol.ts";
import { streamProtocol } from "./protocols/stream.ts";
import type { Vigil } from "./vigil.ts";

export interface SocketOptions {
  readonly hub: Hub;
  readonly doorman: Doorman;
  readonly vigil: Vigil;
  readonly metrics: Pick<Metrics, "wsConnections" | "wsMessages">;
  readonly log: Log;
  readonly maxConnections: number;
  readonly heartbeatMs: number;
  readonly now?: () => number;
  /** Who speaks on sockets of `/graphql`; undefined: there are none. */
  readonly graphql?: (() => Promise<(parts: SocketParts) => Connection>) | undefined;
  /** For tests: calls `beat` whenever the interval has passed. @returns stops it */
  readonly every?: (ms: number, beat: () => void) => () => void;
}

/** What any of our sockets is served with. */
export interface SocketParts extends Pick<ConnectionOptions, "ws" | "known" | "authenticate" | "onSent"> {
  /** Counts an operation as a request; a text says that there were too many. */
  mayAsk(): Promise<string | undefined>;
}

export interface Sockets {
  /** For the server's event `upgrade`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Connections that are open. */
  readonly count: number;
  /** Says goodbye to all (1001); resolves when they are gone, within two seconds. */
  close(): Promise<void>;
}

/** Beyond this a message ends its connection (1009); up to it, it is answered with an error. */
const HARD_LIMIT = 256 << 10;

const byTimer = (ms: number, beat: () => void): (() => void) => {
  const timer = setInterval(beat, ms);
  timer.unref();
  return () => clearInterval(timer);
};

export function createSockets(options: SocketOptions): Sockets {
  const {
    hub,
    doorman,
    vigil,
    metrics,
    log,
    maxConnections,
    heartbeatMs,
    graphql,
    now = Date.now,
    every = byTimer,
  } = options;
  // Compression would cost a window of memory a client, and a compressor its CPU for each message and client.
  const server = new WebSocketServer({ noServer: true, maxPayload: HARD_LIMIT, perMessageDeflate: false, clientTracking: false }); // biome-ignore format: one line
  const connections = new Map<WebSocket, Connection>();
  let ids = 0;
  const stop = every(heartbeatMs, () => {
    for (const connection of connections.values()) connection.heartbeat();
  });

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? "/", "http://weir");
    const isGraphql = url.pathname === "/graphql" && graphql !== undefined;
    const route = isGraphql ? undefined : routeOf(url);
    if (typeof route === "string") return refuse(socket, 404, route);
    const admitted = await doorman.admit(request);
    if ("status" in admitted) return refuse(socket, admitted.status, admitted.detail, admitted.headers);
    const serveGraphql = isGraphql ? await graphql() : undefined;
    if (socket.destroyed) return;
    server.handleUpgrade(request, socket, head, (ws) => {
      if (connections.size >= maxConnections) {
        ws.on("error", () => ws.terminate());
        ws.close(1008, `At capacity: ${maxConnections} connections. Try again later`);
        setTimeout(() => ws.terminate(), 1_000).unref();
        return;
      }
      let unwatch = (): void => {};
      let who = admitted.principal;
      const watch = (principal: Principal): void => {
        who = principal;
        unwatch();
        unwatch = vigil.watch(principal, () => connection.close(1008, "What it was opened with is not valid any more"));
      };
      const parts: SocketParts = {
        ...{ ws, known: admitted.principal !== undefined },
        async authenticate(token) {
          const found = await doorman.authenticate(token, request);
          if (typeof found === "string") return found;
          if (ws.readyState === ws.OPEN) watch(found);
          return undefined;
        },
        mayAsk: () => doorman.mayAsk(who, request),
        onSent: (type) => metrics.wsMessages.inc({ type }),
      };
      const connection = route
        ? serveConnection({ ...parts, ...route, socket, hub, now, connectionId: `ws_${++ids}` })
        : serveGraphql!(parts);
      if (admitted.principal) watch(admitted.principal);
      connections.set(ws, connection);
      metrics.wsConnections.set(connections.size);
      ws.on("close", () => {
        unwatch();
        connections.delete(ws);
        metrics.wsConnections.set(connections.size);
      });
    });
  }

  return {
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      admit(request, socket, head).catch((error: unknown) => {
        log.error({ event: "ws_upgrade_failed", err: error }, "Failed to open a WebSocket");
        refuse(socket, 500, "An error on our side; the log has the details");
      });
    },
    get count() {
      return connections.size;
    },
    async close() {
      stop();
      const gone = [...connections].map(
        ([ws, connection]) =>
          new Promise<void>((resolve) => {
            ws.on("close", () => resolve());
            connection.close(1001, "Weir stops");
          }),
      );
      await Promise.all(gone);
      server.close();
    },
  };
}

interface Route {
  readonly protocol: Protocol;
  readonly onSlow: OnSlow;
}

const CHANNEL_PATHS: Readonly<Record<string, Channel>> = {
  "/ws/alerts": "alerts",
  "/ws/transactions": "transactions",
  "/ws/status": "status",
};
const CLIENT_ID = /^\/ws\/([\w.~-]{1,128})$/;

/** Who speaks what where; a text where there is nothing, or with other parameters. */
function routeOf({ pathname, searchParams }: URL): Route | string {
  const { on_slow: onSlow = "disconnect", format = "envelope", ticket: _, ...rest } = Object.fromEntries(searchParams); // biome-ignore format: one line
  if (onSlow !== "disconnect" && onSlow !== "drop") return "Invalid on_slow. Must be 'disconnect' or 'drop'";
  const channel = CHANNEL_PATHS[pathname];
  if (channel !== undefined) {
    if (format !== "envelope" && format !== "bare") return "Invalid format. Must be 'envelope' or 'bare'";
    const { early = "false", ...others } = rest;
    const filters = channel === "alerts" ? others : rest;
    if (filters === others && early !== "true" && early !== "false") return "Invalid early. Must be 'true' or 'false'";
    const read = readFilters([channel], filters);
    if (typeof read === "string") return read;
    return { onSlow, protocol: channelProtocol(channel, read.get(channel)!, format, early === "true") };
  }
  const protocol = protocolAt(pathname);
  if (protocol === undefined)
    return `There is no stream at ${pathname.slice(0, 100)}. Must be ${anyOf(["/ws/v1/stream", "/ws", "/ws/{client-id}", ...Object.keys(CHANNEL_PATHS), "/graphql"])}`;
  const [unknown] = [...Object.keys(rest), ...(searchParams.has("format") ? ["format"] : [])];
  return unknown === undefined ? { onSlow, protocol } : `There is no parameter ${unknown.slice(0, 64)} here`;
}

function protocolAt(path: string): Protocol | undefined {
  if (path === "/ws/v1/stream") return streamProtocol;
  if (path === "/ws") return feedProtocol;
  const clientId = CLIENT_ID.exec(path)?.[1];
  return clientId === undefined || clientId === "v1" ? undefined : clientProtocol(clientId);
}

const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

/** Answers an upgrade with a problem, as any other request. */
function refuse(socket: Duplex, status: number, detail: string, headers: Readonly<Record<string, string>> = {}): void {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const body = JSON.stringify({ type: "about:blank", title: REASONS[status], status, detail });
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\ncontent-type: application/problem+json\r\n${more.join("")}connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
