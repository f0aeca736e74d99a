/**
 * Who may ask. Until there is access control: programs on this machine may read, and those that have the token may change.
 *
 * A page in a browser on this machine is a program of someone else. It cannot read our answers (no CORS), unless its own
 * name resolves to 127.0.0.1 (DNS rebinding): then the Host header gives it away.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import { problem } from "./problem.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const HOSTS = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/** Refuses peers and Host headers that are not this machine's. */
export function loopbackOnly(): MiddlewareHandler {
  return async (c, next) => {
    const peer = getConnInfo(c).remote.address;
    if (!isLoopback(peer))
      return problem(
        c,
        403,
        `Cannot answer "${peer}": only programs on this machine are answered until there is access control`,
      );
    // the header itself: a request line with a whole URL in it would override it in c.req.url
    const host = (c.env as { incoming: { headers: { host?: string } } }).incoming.headers.host ?? "";
    if (!HOSTS.test(host))
      return problem(
        c,
        403,
        `Cannot answer for host "${host.slice(0, 100)}": expected localhost, 127.0.0.1 or [::1], with or without a port`,
      );
    return next();
  };
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:/i, "");
  return LOOPBACK.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** Requires `Authorization: Bearer <WEIR_TOKEN>`. */
export function tokenRequired(token: string | undefined): MiddlewareHandler {
  return async (c, next) => {
    if (token === undefined)
      return problem(
        c,
        403,
        "Changes are off: set WEIR_TOKEN (at least 16 characters) in the environment or .env, and restart",
      );
    if (!isToken(c, token))
      return problem(c, 401, "Missing or wrong token. Provide the header Authorization: Bearer $WEIR_TOKEN.", {
        headers: { "www-authenticate": 'Bearer realm="weir"' },
      });
    return next();
  };
}

/** Compares digests: equal lengths, and a time that does not depend on where two tokens differ. */
function isToken(c: Context, token: string): boolean {
  const given = /^Bearer +([^\s]{1,4096})$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}
