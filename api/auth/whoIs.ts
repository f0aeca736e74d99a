/**
 * Who asks: from what a request carries to a principal. Of HTTP requests the guard asks; whatever is no route (a WebSocket's upgrade,
 * or its first message) asks here itself.
 *
 *     const answer = await whoIs({ credential: credentialIn(request.headers), address: "192.0.2.7" });
 *     if ("refused" in answer) …                    // { refused: "The API key is not valid", status: 401 }
 *     else answer.principal                         // { name: "alice", role: "user", kind: "key", … }
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Access } from "../../engine/access/access.ts";
import { isWithin, parseRange } from "../../engine/access/ranges.ts";
import type { Role } from "../../engine/access/roles.ts";
import type { Principal } from "./principal.ts";

export interface Asked {
  /** As credentialIn() gives it: any of a token, an access token, an API key. */
  readonly credential: string | undefined;
  /** Where it comes from, behind trusted proxies. */
  readonly address: string | null;
  /** Common name of the client's certificate, if the TLS layer has verified one. */
  readonly certificate?: string | undefined;
}

export type Answer = { readonly principal: Principal } | { readonly refused: string; readonly status: 401 | 403 };

export interface WhoIs {
  /** @throws ControlUnavailable: users and keys cannot be looked up */
  (asked: Asked): Promise<Answer>;
  /** Whether it still is who it was: its key, session or user goes on. @throws ControlUnavailable */
  stillIs(principal: Principal): Promise<boolean>;
  /** What is remembered of users, sessions and keys is forgotten: something of them was changed here. */
  forget(): void;
}

export interface WhoIsOptions {
  readonly access: Access;
  /** WEIR_TOKEN, or the one that was made for this run: an administrator's. */
  readonly token?: string | undefined;
  /** API_KEYS: keys that are nobody's in particular. */
  readonly apiKeys?: readonly string[] | undefined;
  /** What those may do that show nothing; undefined: nothing. */
  readonly anonymous?: Role | undefined;
}

/** What was looked up is believed for so long: an API node learns that late what was revoked at another one. */
const BELIEVED_MS = 2_000;
const MAX_BELIEVED = 10_000;

/** The credential of a request: `Authorization: Bearer …`, or `X-API-Key: …`. */
export function credentialIn(headers: {
  readonly authorization?: string | undefined;
  readonly "x-api-key"?: string | undefined;
}): string | undefined {
  const bearer = /^Bearer +([^\s]{1,4096})$/i.exec(headers.authorization ?? "")?.[1];
  return bearer ?? (headers["x-api-key"] || undefined) ?? (headers.authorization ? "" : undefined);
}

interface Believed {
  readonly principal: Principal;
  readonly allowIps: readonly string[] | null;
  readonly until: number;
}

export function createWhoIs({ access, token, apiKeys = [], anonymous }: WhoIsOptions): WhoIs {
  const fixed: { digest: Buffer; principal: Principal }[] = [
    ...(token === undefined ? [] : [{ digest: digestOf(token), principal: OPERATOR }]),
    ...apiKeys.map((key) => ({ digest: digestOf(key), principal: configuredKey(key) })),
  ];
  const believed = new Map<string, Believed>();

  async function lookUp(credential: string): Promise<Believed | undefined> {
    const until = access.now().getTime() + BELIEVED_MS;
    if (credential.startsWith("weir_")) {
      const found = await access.keys.find(credential);
      if (!found) return undefined;
      const { info, user, role } = found;
      const via = `key ${info.prefix}`;
      const principal = { name: user.username, role, kind: "key", via, id: `key ${info.id}`, userId: user.id, keyId: info.id } as const; // biome-ignore format: a row
      return { principal, allowIps: info.allowIps, until: Math.min(until, info.expiresAt?.getTime() ?? until) };
    }
    const claims = await access.tokens.readAccess(credential);
    const user = claims && (await access.sessions.userOf(claims.session));
    if (!user) return undefined;
    const { id: userId, username: name, role } = user;
    const via = `session ${claims.session}`;
    const principal = { name, role, kind: "session", via, id: `user ${userId}`, userId, sessionId: claims.session } as const; // biome-ignore format: a row
    return { principal, allowIps: null, until: Math.min(until, claims.expiresAt.getTime()) };
  }

  async function believe(credential: string): Promise<Believed | undefined> {
    const key = digestOf(credential).toString("base64");
    const known = believed.get(key);
    if (known && known.until > access.now().getTime()) return known;
    believed.delete(key);
    const found = await lookUp(credential);
    if (found) {
      if (believed.size >= MAX_BELIEVED) believed.delete(believed.keys().next().value!);
      believed.set(key, found);
    }
    return found;
  }

  async function ofCertificate(name: string): Promise<Answer> {
    const user = await access.users.find(name);
    if (!user || user.disabled)
      return { refused: `There is no user "${name.slice(0, 64)}", as the client's certificate says`, status: 403 };
    const { id, username, role } = user;
    return { principal: { name: username, role, kind: "certificate", via: "certificate", id: `user ${id}`, userId: id } }; // biome-ignore format: a row
  }

  async function whoIs({ credential, address, certificate }: Asked): Promise<Answer> {
    if (credential === undefined) {
      if (certificate !== undefined) return ofCertificate(certificate);
      if (anonymous === undefined) return { refused: MISSING, status: 401 };
      const id = `ip ${address ?? "unknown"}`;
      return { principal: { name: "anonymous", role: anonymous, kind: "anonymous", via: null, id, userId: null } };
    }
    const digest = digestOf(credential);
    let match: Principal | undefined;
    for (const each of fixed) if (timingSafeEqual(each.digest, digest)) match = each.principal; // all of them, always
    if (match) return { principal: match };
    const found = await believe(credential);
    if (!found) return { refused: INVALID, status: 401 };
    const { principal, allowIps } = found;
    if (
      allowIps !== null &&
      !isWithin(
        address,
        allowIps.map((text) => parseRange(text)!),
      )
    )
      return { refused: `The API key is not accepted from ${address ?? "there"}`, status: 403 };
    if (principal.keyId !== undefined) access.keys.used(principal.keyId, address);
    return { principal };
  }

  async function stillIs({ kind, keyId, sessionId, userId }: Principal): Promise<boolean> {
    if (kind === "session") return (await access.sessions.userOf(sessionId!)) !== undefined;
    if (keyId !== undefined) return access.keys.holds(keyId);
    return userId === null || (await access.users.get(userId))?.disabled === false;
  }

  return Object.assign(whoIs, { stillIs, forget: () => believed.clear() });
}

/** In the words that clients of earlier systems know, and then ours. */
export const MISSING =
  "Missing API key. Provide X-API-Key header. An access token, or the token of this Weir, goes into Authorization: Bearer.";
const INVALID = "Invalid API key or token: it is wrong, or has expired or been revoked.";

const OPERATOR: Principal = {
  name: "api token",
  role: "admin",
  kind: "token",
  via: "token",
  id: "token",
  userId: null,
};

function configuredKey(key: string): Principal {
  const short = createHash("sha256").update(key).digest("hex").slice(0, 8);
  const name = `configured key ${short}`;
  return { name, role: "user", kind: "key", via: name, id: name, userId: null };
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
