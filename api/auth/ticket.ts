/**
 * Tickets: a browser's WebSocket and EventSource can set no header, and a token in a URL ends up in logs. So a page asks
 * POST /api/v1/auth/ticket with its token, and opens `/ws/v1/stream?ticket=…` within 30 s, once.
 *
 *     const { ticket } = await tickets.issue(principal);
 *     await tickets.redeem(ticket); // the principal
 *     await tickets.redeem(ticket); // undefined: it was used
 *
 * A ticket is signed, so any API node takes it. That it was taken is this node's knowledge, or in Redis that of all of them.
 */
import { TICKET_SECONDS, type TokenIssuer } from "../../engine/access/tokens.ts";
import type { RedisConnection } from "../../engine/ops/redis.ts";
import type { Principal } from "./principal.ts";

export const WRONG_TICKET =
  "The ticket is not valid: it was used, or is older than 30 s. POST /api/v1/auth/ticket gives another";

export interface Tickets {
  issue(principal: Principal): Promise<{ ticket: string; expires_in: number }>;
  /** undefined: it is not one of ours, has expired or been used. */
  redeem(ticket: string): Promise<Principal | undefined>;
}

/** Whether this is the first time that `id` is said; it need not be remembered beyond `until`. */
export type Once = (id: string, until: Date) => boolean | Promise<boolean>;

/** @param once default: remembered in this process */
export function createTickets(tokens: TokenIssuer, now: () => Date, once: Once = onceHere(now)): Tickets {
  return {
    issue: async (principal) => ({ ticket: await tokens.ticket(principal), expires_in: TICKET_SECONDS }),
    async redeem(ticket) {
      const read = ticket.length <= 4096 ? await tokens.readTicket(ticket) : undefined;
      return read && (await once(read.id, read.expiresAt)) ? (read.claims as Principal) : undefined;
    },
  };
}

/** Among all API nodes; while Redis is away, at each. */
export function onceInRedis({ redis, attempt }: Pick<RedisConnection, "redis" | "attempt">, now: () => Date): Once {
  const here = onceHere(now);
  return async (id, until) => {
    const first = await here(id, until);
    if (!first) return false;
    return attempt(
      async () => (await redis.set(`weir:ticket:${id}`, "used", "PXAT", until.getTime() + 1_000, "NX")) === "OK",
      () => true,
    );
  };
}

function onceHere(now: () => Date): Once {
  const used = new Map<string, number>(); // in the order of use: about that in which they expire
  return (id, until) => {
    for (const [old, end] of used) {
      if (end > now().getTime()) break;
      used.delete(old);
    }
    if (used.has(id)) return false;
    used.set(id, until.getTime());
    return true;
  };
}
