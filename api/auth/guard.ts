/** Asks each request who it is, and whether they may; from then on `c.get("principal")` says who. */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { isWithin, LOOPBACK } from "../../engine/access/ranges.ts";
import { atLeast } from "../../engine/access/roles.ts";
import { actingAs } from "../../engine/control/actor.ts";
import type { RateLimits } from "../limits/rateLimits.ts";
import { addressOf, certificateOf } from "../network.ts";
import { pathOf, problem } from "../problem.ts";
import { permissionOf } from "./permissions.ts";
import type { Principal } from "./principal.ts";
import { type Tickets, WRONG_TICKET } from "./ticket.ts";
import { type Answer, credentialIn, MISSING, type WhoIs } from "./whoIs.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who asks; not on open routes. */
    principal: Principal;
  }
}

export const principalOf = (c: Context): Principal => c.get("principal");

/** Who makes a change, for the audit log and as the owner of what is made. */
export const by = (c: Context): string => principalOf(c).name;

/** `GET /api/v1/rules/:name`; undefined when nothing answers this path and method. */
export function routeOf(c: Context): string | undefined {
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
  return route && `${route.method} ${route.path}`;
}

/** Where a ticket in the address will do: an EventSource sets no headers. */
const TICKETED = new Set(["GET /sse/stream", "GET /graphql"]);

/** @param limits counts requests that are refused, too: guesses */
export function guard(
  whoIs: WhoIs,
  tickets: Pick<Tickets, "redeem">,
  limits: Pick<RateLimits, "refused">,
): MiddlewareHandler {
  async function whoHolds(ticket: string): Promise<Answer> {
    const principal = await tickets.redeem(ticket);
    return principal ? { principal } : { status: 401, refused: WRONG_TICKET };
  }

  return async (c, next) => {
    const route = routeOf(c);
    if (route === undefined) return next(); // 404 or 405
    const address = addressOf(c);
    const permission = permissionOf(route);
    const local = permission === "local" && isWithin(address, LOOPBACK);
    if (permission === "open" || local) return next();
    const credential = credentialIn({
      authorization: c.req.header("authorization"),
      "x-api-key": c.req.header("x-api-key"),
    });
    const ticket = TICKETED.has(route) ? c.req.query("ticket") : undefined;
    const answer = await (ticket === undefined
      ? whoIs({ credential, address, certificate: certificateOf(c) })
      : whoHolds(ticket));
    if ("refused" in answer) return (await limits.refused(c)) ?? refused(c, answer.status, answer.refused);
    const { principal } = answer;
    const least = permission === "local" ? "viewer" : permission;
    const may = atLeast(principal.role, least);
    if (!may && principal.kind === "anonymous") return (await limits.refused(c)) ?? refused(c, 401, MISSING);
    if (!may) {
      const expected = least === "admin" ? "admin" : `${least} or more`;
      const detail = `Cannot ${c.req.method} ${pathOf(c)}: "${principal.name}" is ${principal.role}, expected ${expected}`;
      return (await limits.refused(c, principal)) ?? problem(c, 403, detail);
    }
    c.set("principal", principal);
    return actingAs({ ip: address, via: principal.via }, next);
  };
}

/** 401 says how to show who one is, as RFC 9110 wants it. */
const refused = (c: Context, status: 401 | 403, detail: string) =>
  problem(c, status, detail, status === 401 ? { headers: { "www-authenticate": 'Bearer realm="weir"' } } : {});
