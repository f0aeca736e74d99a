/**
 * How many requests each may make: who is somebody by who they are, anybody else by address; some routes beside that by themselves.
 *
 *     GET /api/v1/alerts as alice ──▶ "user 7" 1,000 a minute  and, of the preset, "user 7 alerts" 100 an hour
 *                                     the tightest of them is what the headers say, and the first that is exhausted is a 429
 */
import type { Context, MiddlewareHandler } from "hono";
import { principalOf, routeOf } from "../auth/guard.ts";
import type { Principal } from "../auth/principal.ts";
import { addressOf } from "../network.ts";
import { problem } from "../problem.ts";
import type { Limiter } from "./limiter.ts";
import type { Kind, Policy, Verdict } from "./policy.ts";

export interface RateLimitOptions {
  readonly kind: Kind;
  /** Requests a minute of an address that shows nothing; 0: any number. */
  readonly anonymous: number;
  /** Requests a minute of a user or key; 0: any number. */
  readonly known: number;
  /** `hourly`: 1,000 an hour, of alerts 100 an hour, of WebSockets 10 a minute; `minute`: as above. */
  readonly preset: "minute" | "hourly";
}

export interface RateLimits {
  readonly middleware: MiddlewareHandler;
  /** For what is no route, a WebSocket's upgrade and what is asked by it: counts it as a request. @returns what it is refused with; undefined: it may */
  live(
    principal: Principal | undefined,
    address: string | null,
    what: "upgrade" | "operation",
  ): Promise<{ readonly detail: string; readonly headers: Readonly<Record<string, string>> } | undefined>;
  /** What is left of each limit that somebody's requests are counted by; [] when none are. */
  left(c: Context): Promise<Left[]>;
  /** Counts a request that was refused, by its address, or by whose it is if that is known; a response when there were too many of them. */
  refused(c: Context, principal?: Principal): Promise<Response | undefined>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Not counted: probes, and what Prometheus reads. */
export const UNCOUNTED = new Set(["GET /api/v1/health", "GET /ready", "GET /metrics"]);

/** By address, whoever asks: guesses. A password that is wrong costs the name, too (engine/access/login.ts). */
const GUESSES: Policy = { kind: "fixed", limit: 20, windowMs: MINUTE };
const GUESSED = /^POST \/api\/v1\/auth\/(login|refresh)$/;
/** What is no route, named as if it were. */
const UPGRADE = "GET /ws";
/** Of the preset, as an earlier system had them. */
const HOURLY = {
  general: { limit: 1_000, windowMs: HOUR },
  alerts: { limit: 100, windowMs: HOUR },
  websockets: { limit: 10, windowMs: MINUTE },
} as const;

/** A limit, and how far it is used. */
export interface Left extends Counted {
  /** Paths that it is about. */
  readonly of: "all" | "alerts";
}

interface Claim {
  readonly key: string;
  readonly policy: Policy;
}

interface Counted {
  readonly policy: Policy;
  readonly verdict: Verdict;
}

export function createRateLimits(limiter: Limiter, { kind, anonymous, known, preset }: RateLimitOptions): RateLimits {
  const perMinute = (limit: number): Policy => ({ kind, limit, windowMs: MINUTE });

  function claimsOf(principal: Principal | undefined, from: string | null, route: string): Claim[] {
    const address = `ip ${blockOf(from)}`;
    const guess = anonymous > 0 && GUESSED.test(route) ? [{ key: `${address} guesses`, policy: GUESSES }] : [];
    if (principal === undefined || principal.kind === "anonymous")
      return [...guess, ...(anonymous > 0 ? [{ key: address, policy: perMinute(anonymous) }] : [])];
    if (principal.kind === "token" || known === 0) return guess; // who runs this Weir
    if (preset === "minute") return [...guess, { key: principal.id, policy: perMinute(known) }];
    const hourly = (name: keyof typeof HOURLY): Claim => ({ key: `${principal.id} ${name}`, policy: { kind, ...HOURLY[name] } }); // biome-ignore format: one line
    const own = /^\w+ \/api\/v1\/alerts\b/.test(route) ? (["alerts"] as const) : route === UPGRADE ? (["websockets"] as const) : []; // biome-ignore format: one line
    return [...guess, hourly("general"), ...own.map(hourly)];
  }

  /** Counts it for each claim, up to the first that is exhausted. @returns the tightest; undefined: nothing is counted */
  async function count(claims: readonly Claim[]): Promise<Counted | undefined> {
    let tightest: Counted | undefined;
    for (const { key, policy } of claims) {
      const verdict = await limiter.take(key, policy);
      if (!tightest || verdict.remaining < tightest.verdict.remaining) tightest = { policy, verdict };
      if (!verdict.allowed) return { policy, verdict };
    }
    return tightest;
  }

  return {
    async middleware(c, next) {
      const route = routeOf(c);
      if (route === undefined || UNCOUNTED.has(route)) return next();
      const counted = await count(claimsOf(principalOf(c), addressOf(c), route));
      if (counted?.verdict.allowed === false) return tooMany(c, counted);
      if (counted) for (const [name, value] of Object.entries(headersOf(counted))) c.header(name, value);
      return next();
    },
    async live(principal, address, what) {
      const counted = await count(claimsOf(principal, address, what === "upgrade" ? UPGRADE : "POST /graphql"));
      return counted?.verdict.allowed === false ? refusalOf(counted) : undefined;
    },
    async left(c) {
      const claims = claimsOf(principalOf(c), addressOf(c), "GET /api/v1/alerts"); // which are counted by every limit there is
      return Promise.all(
        claims.map(async ({ key, policy }) => ({
          of: key.endsWith(" alerts") ? ("alerts" as const) : ("all" as const),
          policy,
          verdict: await limiter.take(key, policy, 0),
        })),
      );
    },
    async refused(c, principal) {
      const counted = await count(claimsOf(principal, addressOf(c), ""));
      return counted?.verdict.allowed === false ? tooMany(c, counted) : undefined;
    },
  };
}

/** Who has one IPv6 address has 2^64 of them: 2001:db8:1:2::/64. */
export function blockOf(address: string | null): string {
  if (address === null) return "unknown";
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const [front, back] = [head.split(":").filter(Boolean), tail.split(":").filter(Boolean)];
  const all = address.includes("::") ? [...front, ...Array(Math.max(0, 8 - front.length - back.length)).fill("0"), ...back] : front; // biome-ignore format: one line
  return `${all.slice(0, 4).join(":")}::/64`;
}

function tooMany(c: Context, counted: Counted): Response {
  const { detail, headers } = refusalOf(counted);
  return problem(c, 429, detail, { headers });
}

function refusalOf(counted: Counted) {
  const { policy, verdict } = counted;
  const seconds = Math.ceil(verdict.retryMs / 1000);
  return {
    detail: `Cannot answer more requests: there were ${policy.limit} within ${policy.windowMs / 1000} s, expected fewer; the next is answered in ${seconds} s`,
    headers: { ...headersOf(counted), "retry-after": String(seconds) },
  };
}

/** RateLimit-… of the IETF's draft, with seconds from now; X-RateLimit-… as most clients know it, with a time. */
function headersOf({ policy: { limit, windowMs, burst }, verdict: { remaining, resetMs } }: Counted) {
  const reset = Math.ceil(resetMs / 1000);
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(reset),
    "ratelimit-policy": `${limit};w=${windowMs / 1000}${burst === undefined ? "" : `;burst=${burst}`}`,
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + reset),
  };
}
