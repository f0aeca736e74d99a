/**
 * One WebSocket: what it says goes to its protocol, what it subscribes to comes out of the hub, as fast as the client takes it and no faster.
 *
 * What we hold for a client is bounded: beyond HIGH_WATER bytes that it has not taken no more events are sent, and no more of its messages are read.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { jsonProblem } from "../../engine/ops/plainJson.ts";
import type { Hub, Reader } from "./hub.ts";
import { anyOf, type Protocol, recordSchema, type Session, shown } from "./protocols/protocol.ts";

/** What becomes of a client that has missed events: it loses its connection (1013), or those events, and is told how many. */
export type OnSlow = "disconnect" | "drop";

export interface ConnectionOptions {
  readonly ws: WebSocket;
  /** What it is spoken over. */
  readonly socket: Pick<Duplex, "cork" | "uncork">;
  readonly hub: Hub;
  readonly protocol: Protocol;
  readonly connectionId: string;
  readonly onSlow: OnSlow;
  /** Whether it may subscribe, or has to say who it is first. */
  readonly known: boolean;
  /** @returns why the token is refused; undefined: it is good */
  authenticate(token: string): Promise<string | undefined>;
  /** ms since 1970. */
  readonly now: () => number;
  /** A message went out: its type. */
  readonly onSent: (type: string) => void;
}

export interface Connection {
  /** Called every heartbeat interval; ends the connection when nothing has been heard since the last time. */
  heartbeat(): void;
  /** Says goodbye, and ends the connection a second later if the client has not. */
  close(code: number, reason: string): void;
}

/** A message of a client. Beyond HARD_LIMIT the WebSocket layer closes with 1009 (server.ts). */
const MAX_MESSAGE = 16 << 10;
const HIGH_WATER = 64 << 10;
/** Events in one go: a client with much to read lets others have their turn. */
const BURST = 32;
const GOODBYE_MS = 1_000;
/** Who has not said who it is by then has no business here. */
export const AUTH_WITHIN_MS = 10_000;

export function serveConnection(options: ConnectionOptions): Connection {
  const { ws, socket, hub, protocol, connectionId, now, onSent } = options;
  let known = options.known;
  let alive = true;
  /** Somebody waits for the socket to take what it has. */
  let draining = false;
  const reader: Reader = hub.reader(pump);
  const session: Session = {
    connectionId,
    send,
    subscribe(channel, passes) {
      // how the system is does not change often: what was said last holds
      const from = channel === "status" && hub.isWanted(channel) ? hub.ring(channel).head - 1 : undefined;
      reader.subscribe(channel, passes, from === -1 ? undefined : from);
    },
    unsubscribe: (channel) => reader.unsubscribe(channel),
  };
  const stranger = known ? undefined : setTimeout(() => close(1008, "Not authenticated in time"), AUTH_WITHIN_MS);

  /** What there is to send goes to the kernel in one call, not one each. */
  function pump(): void {
    if (draining || ws.readyState !== ws.OPEN) return;
    socket.cork();
    sendBurst();
    socket.uncork();
  }

  function sendBurst(): void {
    let sent = 0;
    for (let event = reader.next(); event; event = reader.next()) {
      if (dropped()) return;
      ws.send(protocol.encode(event), { binary: false });
      onSent(event.type);
      if (isFull()) {
        untilDrained();
        return;
      }
      if (++sent === BURST) {
        reader.later();
        return;
      }
    }
    dropped();
  }

  /** Deals with what the client has missed. @returns whether that was the end of it */
  function dropped(): boolean {
    const count = reader.missed();
    if (count === 0) return false;
    if (options.onSlow === "drop") {
      send({ type: "dropped", count });
      return false;
    }
    close(1013, `Too slow: ${count} events were gone before they could be sent. Reconnect, or take ?on_slow=drop`);
    return true;
  }

  const isFull = (): boolean => ws.bufferedAmount > HIGH_WATER;

  /** No more comes in, and no more goes out, until the client has taken what there is. */
  function untilDrained(): void {
    if (draining) return;
    draining = true;
    ws.pause();
    // an empty ping behind all that waits: it is written when that is
    ws.ping("", false, () => {
      draining = false;
      if (ws.readyState !== ws.OPEN) return;
      ws.resume();
      pump();
    });
  }

  function send(message: object): void {
    if (ws.readyState !== ws.OPEN) return;
    ws.send(JSON.stringify(message));
    onSent("type" in message ? String(message.type) : "other");
    if (isFull()) untilDrained();
  }

  const time = (): string => new Date(now()).toISOString();
  const fail = (message: string): void => send({ type: "error", message });

  async function receive(bytes: Buffer, isBinary: boolean): Promise<void> {
    if (isBinary) return fail("Invalid message: it is binary, expected JSON as text");
    if (bytes.length > MAX_MESSAGE)
      return fail(`Invalid message: it has ${bytes.length} bytes, expected at most ${MAX_MESSAGE}`);
    const read = recordSchema.safeParse(parsed(bytes.toString()));
    if (!read.success) return fail('Invalid JSON: expected an object such as {"type": "ping"}');
    const problem = jsonProblem(read.data);
    if (problem) return fail(`Invalid message: ${problem}`);
    const { type } = read.data;
    if (type === "ping") return send({ type: "pong", timestamp: time() });
    if (type === "pong") return;
    if (type === "auth") return identify(read.data);
    if (typeof type !== "string" || !protocol.types.includes(type)) {
      const types = anyOf([...protocol.types, "ping", "auth"]);
      return fail(type === undefined ? `Missing type. Must be ${types}` : `Unknown message type: ${shown(type)}. Must be ${types}`); // biome-ignore format: one line
    }
    if (!known) return fail('Not authenticated: send {"type": "auth", "data": {"token": "…"}} first');
    const wrong = protocol.receive(type, read.data, session);
    if (wrong !== undefined) fail(wrong);
  }

  async function identify({
    data,
    token = (data as { token?: unknown } | undefined)?.token,
  }: Readonly<Record<string, unknown>>) {
    if (typeof token !== "string") return fail('Missing token. Send {"type": "auth", "data": {"token": "…"}}');
    ws.pause(); // its next messages wait where they are
    const refused = await options.authenticate(token).finally(() => draining || ws.resume());
    if (refused !== undefined) return close(1008, refused.slice(0, 120));
    clearTimeout(stranger);
    send({ type: "auth", data: { status: "authenticated" } });
    if (!known) protocol.begin(session);
    known = true;
  }

  function close(code: number, reason: string): void {
    reader.close();
    ws.close(code, reason);
    ws.resume(); // a paused one would not see the client's goodbye
    setTimeout(() => ws.terminate(), GOODBYE_MS).unref();
  }

  /** Messages are answered in their order, also where one has to wait for a look-up. */
  let turn = Promise.resolve();
  ws.on("message", (bytes: Buffer, isBinary) => {
    alive = true;
    turn = turn.then(() => receive(bytes, isBinary)).catch(() => close(1011, "An error on our side"));
  });
  ws.on("pong", () => {
    alive = true;
  });
  ws.on("error", () => close(1002, "")); // a frame that is too large, or not one: ws has said so with a code of its own
  ws.on("close", () => {
    clearTimeout(stranger);
    reader.close();
  });
  if (known) protocol.begin(session);

  return {
    heartbeat() {
      if (!alive) return ws.terminate();
      alive = false;
      ws.ping();
      if (!draining) send({ type: "heartbeat", timestamp: time() });
    },
    close,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told to the client as what it is: no object
  }
}
