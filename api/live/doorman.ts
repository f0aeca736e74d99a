/** Who may have a live stream. A WebSocket is no route, and no browser asks a page of another origin before it opens one: so we look. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Tickets, WRONG_TICKET } from "../auth/ticket.ts";
import { credentialIn, type WhoIs } from "../auth/whoIs.ts";
import { commonName, type NetworkOptions, whereFrom } from "../network.ts";

export interface Admitted {
  /** Whether it has shown who it is, or need not: if not, its first message must. */
  readonly known: boolean;
}

export interface Refused {
  readonly status: 401 | 403;
  readonly detail: string;
}

export interface Doorman {
  /** By a header, a ticket in the address (`?ticket=`), or nothing. @throws ControlUnavailable */
  admit(request: IncomingMessage): Promise<Admitted | Refused>;
  /** @returns why the token of an `auth` message is refused; undefined: it is good. @throws ControlUnavailable */
  authenticate(token: string, request: IncomingMessage): Promise<string | undefined>;
}

export interface DoormanOptions extends NetworkOptions {
  readonly whoIs: WhoIs;
  readonly tickets: Tickets;
  /** Pages of other origins that may open streams. */
  readonly corsOrigins?: readonly string[];
}

export function createDoorman({ whoIs, tickets, corsOrigins = [], ...network }: DoormanOptions): Doorman {
  const fromOf = ({ socket, headers }: IncomingMessage) =>
    whereFrom(network, { peer: socket.remoteAddress, forwarded: forwardedOf(headers), host: headers.host });

  return {
    async admit(request) {
      const { host = "", origin, authorization, "x-api-key": apiKey } = request.headers;
      const { address, refused } = fromOf(request);
      if (refused !== undefined) return { status: 403, detail: refused };
      if (origin !== undefined && !isSameOrigin(origin, host) && !corsOrigins.includes(origin))
        return {
          status: 403,
          detail: `Cannot answer a page of "${origin.slice(0, 100)}": expected one of this host, or of WEIR_CORS_ORIGINS`,
        };
      const ticket = new URL(request.url ?? "/", "http://weir").searchParams.get("ticket");
      if (ticket !== null)
        return (await tickets.redeem(ticket)) ? { known: true } : { status: 401, detail: WRONG_TICKET };
      const credential = credentialIn({ authorization, "x-api-key": [apiKey].flat()[0] });
      const answer = await whoIs({ credential, address, certificate: commonName(request.socket as TLSSocket) });
      if ("principal" in answer) return { known: true };
      return credential === undefined ? { known: false } : { status: answer.status, detail: answer.refused };
    },
    async authenticate(token, request) {
      const answer = await whoIs({ credential: token, address: fromOf(request).address });
      return "refused" in answer ? answer.refused : undefined;
    },
  };
}

const forwardedOf = ({ "x-forwarded-for": forwarded }: IncomingMessage["headers"]): string | undefined =>
  Array.isArray(forwarded) ? forwarded.join(",") : forwarded;

const isSameOrigin = (origin: string, host: string): boolean =>
  ["http", "https"].some((scheme) => origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`);
