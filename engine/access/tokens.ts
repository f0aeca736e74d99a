/**
 * Tokens that carry what they say, signed: who has the secret can make them, and nobody else.
 *
 *     access   15 minutes, in every request of a session
 *     refresh  number n of its session, good for one use (sessions.ts)
 *     ticket   30 seconds, good for one use: opens a WebSocket of a browser, which can set no header
 *
 * Each kind has a key of its own, derived from the secret, so that none can be taken for another.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { type JWTPayload, jwtVerify, SignJWT } from "jose";

export const ACCESS_SECONDS = 900;
export const TICKET_SECONDS = 30;

type Kind = "access" | "refresh" | "ticket";

export interface TokenIssuer {
  /** @returns a JWT */
  access(session: string, user: number): Promise<string>;
  refresh(session: string, rotation: number, expiresAt: Date): Promise<string>;
  /** @param claims what redeem() gives back, as JSON */
  ticket(claims: object): Promise<string>;
  /** undefined: it is not ours, not an access token, or has expired. */
  readAccess(token: string): Promise<{ session: string; user: number; expiresAt: Date } | undefined>;
  /** Expiry is the session's matter: an old one that is used again must be noticed. */
  readRefresh(token: string): Promise<{ session: string; rotation: number } | undefined>;
  readTicket(token: string): Promise<{ id: string; claims: unknown; expiresAt: Date } | undefined>;
}

/** @param secret any text of 16 characters or more */
export function createTokens(secret: string, now: () => Date): TokenIssuer {
  const keyOf = (kind: Kind) => new Uint8Array(hkdfSync("sha256", secret, "weir", `${kind} token`, 32));
  const keys: Record<Kind, Uint8Array> = {
    access: keyOf("access"),
    refresh: keyOf("refresh"),
    ticket: keyOf("ticket"),
  };
  const seconds = () => Math.floor(now().getTime() / 1000);

  const sign = (kind: Kind, claims: JWTPayload, expires: number): Promise<string> =>
    new SignJWT({ ...claims, jti: randomBytes(12).toString("base64url") })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer("weir")
      .setIssuedAt(seconds())
      .setExpirationTime(expires)
      .sign(keys[kind]);

  async function read(kind: Kind, token: string, currentDate = now()): Promise<JWTPayload | undefined> {
    const options = { issuer: "weir", algorithms: ["HS256"], currentDate };
    const result = await jwtVerify(token, keys[kind], options).catch((error: { code?: string }) => {
      if (error.code?.startsWith("ERR_J")) return undefined; // jose's own: not a JWT, wrong signature, expired
      throw error;
    });
    return result?.payload;
  }

  return {
    access: (sid, user) => sign("access", { sid, sub: String(user) }, seconds() + ACCESS_SECONDS),
    refresh: (sid, n, expiresAt) => sign("refresh", { sid, n }, Math.floor(expiresAt.getTime() / 1000)),
    ticket: (of) => sign("ticket", { of }, seconds() + TICKET_SECONDS),
    async readAccess(token) {
      const payload = await read("access", token);
      if (payload === undefined) return undefined;
      const { sid, sub, exp } = payload as { sid: string; sub: string; exp: number };
      return { session: sid, user: Number(sub), expiresAt: new Date(exp * 1000) };
    },
    async readRefresh(token) {
      const payload = await read("refresh", token, new Date(0));
      return payload && { session: payload.sid as string, rotation: payload.n as number };
    },
    async readTicket(token) {
      const payload = await read("ticket", token);
      return payload && { id: payload.jti!, claims: payload.of, expiresAt: new Date(payload.exp! * 1000) };
    },
  };
}
