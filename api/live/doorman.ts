/** Who may have a live stream. A WebSocket is no route, and no browser asks a page of another origin before it opens one: so we look. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Principal } from "../auth/principal.ts";
import { type Tickets, WRONG_TICKET } from "../auth/ticket.ts";
import { credentialIn, type WhoIs } from "../auth/whoIs.ts";
import type { RateLimits } from "../limits/rateLimits.ts";
import { commonName, type NetworkOptions, whereFrom } from "../network.ts";

export interface Admitted {
  /** undefined: it has not shown who it is, and its first message must. */
  readonly principal: Principal | undefined;
}

export interface Refused {
  readonly status: 401 | 403 | 429;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Doorman {
  /** By a header, a ticket in the address (`?ticket=`), or nothing. @throws ControlUnavailable */
  admit(request: IncomingMessage): Promise<Admitted | Refused>;
  /** By the token of an `auth` message; a text says why it is refused. @throws ControlUnavailable */
  authenticate(token: string, request: IncomingMessage): Promise<Principal | string>;
  /** Counts an operation that is asked by a WebSocket; a text says that there were too many. */
  mayAsk(principal: Principal | undefined, request: IncomingMessage): Promise<string | undefined>;
}

export interface DoormanOptions extends NetworkOptions {
  readonly whoIs: WhoIs;
  readonly tickets: Tickets;
  /** Counts each upgrade as a request, and what is asked by it. */
  readonly limits: Pick<RateLimits, "live">;
  /** Pages of other origins that may open streams. */
  readonly corsOrigins?: readonly string[];
}

export function createDoorman({ whoIs, tickets, limits, corsOrigins = [], ...network }: DoormanOptions): Doorman {
  const fromOf = ({ socket, headers }: IncomingMessage) =>
    whereFrom(network, { peer: socket.remoteAddress, forwarded: forwardedOf(headers), host: headers.host });

  async function identify(request: IncomingMessage, address: string | null): Promise<Admitted | Refused> {
    const { authorization, "x-api-key": apiKey } = request.headers;
    const ticket = new URL(request.url ?? "/", "http://weir").searchParams.get("ticket");
    if (ticket !== null) {
      const principal = await tickets.redeem(ticket);
      return principal ? { principal } : { status: 401, detail: WRONG_TICKET };
    }
    const credential = credentialIn({ authorization, "x-api-key": [apiKey].flat()[0] });
    const answer = await whoIs({ credential, address, certificate: commonName(request.socket as TLSSocket) });
    if ("principal" in answer) return answer;
    return credential === undefined ? { principal: undefined } : { status: answer.status, detail: answer.refused };
  }

  return {
    async admit(request) {
      const { host = "", origin } = request.headers;
      const { address, refused } = fromOf(request);
      if (refused !== undefined) return { status: 403, detail: refused };
      if (origin !== undefined && !isSameOrigin(origin, host) && !corsOrigins.includes(origin))
        return {
          status: 403,
          detail: `Cannot answer a page of "${origin.slice(0, 100)}": expected one of this host, or of WEIR_CORS_ORIGINS`,
        };
      const found = await identify(request, address);
      const many = await limits.live("status" in found ? undefined : found.principal, address, "upgrade");
      return many ? { status: 429, ...many } : found;
    },
    async authenticate(token, request) {
      const answer = await whoIs({ credential: token, address: fromOf(request).address });
      return "refused" in answer ? answer.refused : answer.principal;
    },
    mayAsk: async (principal, request) => (await limits.live(principal, fromOf(request).address, "operation"))?.detail,
  };
}

const forwardedOf = ({ "x-forwarded-for": forwarded }: IncomingMessage["headers"]): string | undefined =>
  Array.isArray(forwarded) ? forwarded.join(",") : forwarded;

const isSameOrigin = (origin: string, host: string): boolean =>
  ["http", "https"].some((scheme) => origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`);
