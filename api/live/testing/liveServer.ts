/** For tests: live streams on a free port, over a hub that the test fills; history is what the test has kept. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { WebSocket } from "ws";
import { createAccess } from "../../../engine/access/access.ts";
import { openControl } from "../../../engine/control/open.ts";
import { createHealth } from "../../../engine/ops/health.ts";
import { createLog } from "../../../engine/ops/log.ts";
import { createMetrics } from "../../../engine/ops/metrics.ts";
import { createTickets } from "../../auth/ticket.ts";
import { createWhoIs } from "../../auth/whoIs.ts";
import { createMemoryLimiter } from "../../limits/limiter.ts";
import { createRateLimits } from "../../limits/rateLimits.ts";
import { createDoorman } from "../doorman.ts";
import { type Channel, createEvent, type LiveEvent } from "../event.ts";
import type { Feed } from "../feed.ts";
import { createHub } from "../hub.ts";
import { createLive, type LiveOptions } from "../live.ts";
import { isBehind } from "../positions.ts";
import type { RingLimits } from "../ring.ts";

const NO_LIMITS = { kind: "fixed", anonymous: 0, known: 0, preset: "minute" } as const;
export const TOKEN = "a-token-for-tests-only";

export interface TestLiveOptions extends Partial<Pick<LiveOptions, "maxConnections" | "heartbeatMs" | "now">> {
  readonly limits?: RingLimits;
  readonly anonymous?: "viewer" | null;
}

/** @param anonymous null: who shows nothing may not read */
export async function startLive({
  anonymous = "viewer",
  limits,
  maxConnections = 10,
  heartbeatMs = 30_000,
  now = Date.now,
}: TestLiveOptions = {}) {
  const hub = createHub(limits && { limits });
  const kept: LiveEvent[] = [];
  const feed: Feed = {
    start() {},
    async *history(channel, after) {
      yield kept.filter((event) => event.channel === channel && isBehind(after, event.place!));
    },
    async close() {},
  };
  // asked for nobody but by tokens and tickets, so no control store is opened
  const control = openControl({ folder: "/nonexistent" });
  const access = createAccess({ control, secret: "a secret for tests only" });
  const tickets = createTickets(access.tokens, access.now);
  const whoIs = createWhoIs({ access, token: TOKEN, anonymous: anonymous ?? undefined });
  let beat = (): void => {};
  const metrics = createMetrics({ defaults: false });
  const live = createLive({
    ...{ hub, feed, metrics, maxConnections, heartbeatMs, now },
    ...{
      doorman: createDoorman({ whoIs, tickets, limits: createRateLimits(createMemoryLimiter(), NO_LIMITS) }),
      stillIs: whoIs.stillIs,
    },
    health: createHealth(),
    log: createLog({ stream: { write: () => {} } }),
    every(_ms, tick) {
      beat = tick;
      return () => {};
    },
  });
  const server = createServer(getRequestListener(live.routes.fetch));
  server.on("upgrade", live.upgrade);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: Client[] = [];

  return {
    hub,
    metrics,
    address,
    tickets,
    /** The heartbeat interval has passed. */
    beat: () => beat(),
    /** Events of a channel's lane, which history has, too. */
    publish(channel: Channel, type: string, rows: readonly Record<string, unknown>[], lane = "0") {
      const events = rows.map((data) => {
        const at = kept.filter((event) => event.channel === channel && event.place!.lane === lane).length;
        const event = createEvent({ channel, type, data, now: now(), place: { lane, at: [at] } });
        kept.push(event);
        return event;
      });
      hub.publish(events);
    },
    connect(path: string, headers: Record<string, string> = {}): Client {
      const client = createClient(`ws://${address}${path}`, headers);
      clients.push(client);
      return client;
    },
    async close() {
      for (const { ws } of clients) ws.terminate();
      await live.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await control.close();
    },
  };
}

export type Client = ReturnType<typeof createClient>;

function createClient(url: string, headers: Record<string, string>) {
  const ws = new WebSocket(url, { headers });
  const received: string[] = [];
  let news = (): void => {};
  ws.on("message", (bytes: Buffer) => {
    received.push(bytes.toString());
    news();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  /** Of an upgrade that was refused. */
  const refused = new Promise<{ status: number; body: string }>((resolve) => {
    ws.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk)).on("end", () => resolve({ status: response.statusCode ?? 0, body })); // biome-ignore format: one line
    });
  });
  ws.on("error", () => {}); // of refused upgrades; each test says what it expects instead

  return {
    ws,
    received,
    closed,
    refused,
    send: (message: unknown) => ws.send(typeof message === "string" ? message : JSON.stringify(message)),
    /** The next message, as JSON. */
    async next(): Promise<Record<string, unknown>> {
      while (received.length === 0) await new Promise<void>((resolve) => (news = resolve));
      return JSON.parse(received.shift()!) as Record<string, unknown>;
    },
  };
}
