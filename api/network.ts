/**
 * Where requests come from, and whether they are answered at all: before anybody is asked who they are.
 *
 * A page in a browser on this machine is a program of someone else. It cannot read our answers (no CORS), unless its own
 * name resolves to 127.0.0.1 (DNS rebinding): then the Host header gives it away.
 */
import type { TLSSocket } from "node:tls";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import { isWithin, LOOPBACK, type Range } from "../engine/access/ranges.ts";
import { problem } from "./problem.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Of the client, behind trusted proxies. */
    address: string | null;
  }
}

export interface NetworkOptions {
  /** Where requests are answered from; undefined: this machine. */
  readonly allow?: readonly Range[] | undefined;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly Range[] | undefined;
  /** Host headers that are answered beside this machine's, without a port, in lower case; undefined with `allow`: any. */
  readonly hosts?: readonly string[] | undefined;
}

const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

interface Incoming {
  readonly headers: { readonly host?: string; readonly "x-forwarded-for"?: string };
  readonly socket?: TLSSocket;
}
const incomingOf = (c: Context): Incoming => (c.env as { incoming: Incoming }).incoming;

/** Refuses addresses that are not allowed, and Host headers that are not ours. */
export function network(options: NetworkOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    const peer = getConnInfo(c).remote.address;
    // the header itself: a request line with a whole URL in it would override it in c.req.url
    const { host } = incomingOf(c).headers;
    const { address, refused } = whereFrom(options, { peer, forwarded: c.req.header("x-forwarded-for"), host });
    c.set("address", address);
    return refused === undefined ? next() : problem(c, 403, refused);
  };
}

/** The client's address, behind trusted proxies, and why it is not answered; refused undefined: it is. */
export function whereFrom(
  { allow, trustedProxies = [], hosts }: NetworkOptions,
  request: {
    readonly peer: string | undefined;
    readonly forwarded: string | undefined;
    readonly host: string | undefined;
  },
): { readonly address: string | null; readonly refused?: string } {
  const { peer, forwarded, host = "" } = request;
  const address = behindProxies(plain(peer), forwarded, trustedProxies);
  if (!isWithin(address, allow ?? LOOPBACK))
    return {
      address,
      refused: `Cannot answer "${address}": expected ${allow ? "an address of WEIR_ALLOW_IPS" : "a program on this machine; WEIR_ALLOW_IPS lets others in"}`,
    };
  const anyHost = allow !== undefined && hosts === undefined;
  if (!anyHost && !LOCAL_HOST.test(host) && !hosts?.includes(host.toLowerCase().replace(/:\d{1,5}$/, "")))
    return {
      address,
      refused: `Cannot answer for host "${host.slice(0, 100)}": expected localhost, 127.0.0.1 or [::1]${hosts ? `, ${hosts.join(", ")}` : ""}, with or without a port`,
    };
  return { address };
}

/** Where the request comes from. */
export const addressOf = (c: Context): string | null => c.get("address") ?? null;

/** Common name of the client's certificate, if there is one: the TLS layer has verified it by then. */
export const certificateOf = (c: Context): string | undefined => commonName(incomingOf(c).socket);

export function commonName(socket: TLSSocket | undefined): string | undefined {
  if (!socket?.authorized) return undefined;
  const name = socket.getPeerCertificate()?.subject?.CN;
  return typeof name === "string" ? name : undefined;
}

const plain = (address: string | undefined): string | null => address?.replace(/^::ffff:(?=\d+\.)/i, "") ?? null;

/**
 * The last address that no trusted proxy has: each proxy adds who it was asked by, on the right; further left anybody could have written.
 * @param peer of the connection  @param forwarded X-Forwarded-For
 */
export function behindProxies(
  peer: string | null,
  forwarded: string | undefined,
  trusted: readonly Range[],
): string | null {
  const chain = [...(forwarded?.split(",").map((each) => each.trim()) ?? []), peer ?? ""];
  for (let at = chain.length - 1; at > 0; at--) if (!isWithin(chain[at], trusted)) return plain(chain[at]) || null;
  return plain(chain[0]) || null;
}
