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
  /** `hourly`: 1,000 an hour, of alerts 100 an hour; `minute`: as above. */
  readonly preset: "minute" | "hourly";
}

export interface RateLimits {
  readonly middleware: MiddlewareHandler;
  /**
   * For what is no route, such as a WebSocket: counts one of `what` for this principal.
   * @returns whether it may, and how long to wait if not, in seconds
   */
  take(what: "websocket", principal: Principal): Promise<{ allowed: boolean; retryAfterSeconds: number }>;
  /** Counts a request that was refused, by its address; a response when there were too many of them. */
  refused(c: Context): Promise<Response | undefined>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Not counted: probes, and what Prometheus reads. */
export const UNCOUNTED = new Set(["GET /api/v1/health", "GET /ready", "GET /metrics"]);

/** By address, whoever asks: guesses. A password that is wrong costs the name, too (engine/access/login.ts). */
const GUESSES: Policy = { kind: "fixed", limit: 20, windowMs: MINUTE };
const GUESSED = /^POST \/api\/v1\/auth\/(login|refresh)$/;
const WEBSOCKET: Policy = { kind: "sliding", limit: 10, windowMs: MINUTE };
const HOURLY = { general: 1_000, alerts: 100 } as const;

interface Claim {
  readonly key: string;
  readonly policy: Policy;
}

export function createRateLimits(limiter: Limiter, { kind, anonymous, known, preset }: RateLimitOptions): RateLimits {
  const perMinute = (limit: number): Policy => ({ kind, limit, windowMs: MINUTE });

  function claimsOf(c: Context, route: string): Claim[] {
    const principal: Principal | undefined = principalOf(c);
    const address = `ip ${blockOf(addressOf(c))}`;
    const guess = anonymous > 0 && GUESSED.test(route) ? [{ key: `${address} guesses`, policy: GUESSES }] : [];
    if (principal === undefined || principal.kind === "anonymous")
      return [...guess, ...(anonymous > 0 ? [{ key: address, policy: perMinute(anonymous) }] : [])];
    if (principal.kind === "token" || known === 0) return guess; // who runs this Weir
    if (preset === "minute") return [...guess, { key: principal.id, policy: perMinute(known) }];
    const hourly = (name: keyof typeof HOURLY): Claim => ({ key: `${principal.id} ${name}`, policy: { kind, limit: HOURLY[name], windowMs: HOUR } }); // biome-ignore format: one line
    return [...guess, hourly("general"), ...(/^\w+ \/api\/v1\/alerts\b/.test(route) ? [hourly("alerts")] : [])];
  }

  async function count(c: Context, claims: readonly Claim[]): Promise<Response | undefined> {
    let tightest: { policy: Policy; verdict: Verdict } | undefined;
    for (const { key, policy } of claims) {
      const verdict = await limiter.take(key, policy);
      if (!tightest || verdict.remaining < tightest.verdict.remaining) tightest = { policy, verdict };
      if (!verdict.allowed) return tooMany(c, policy, verdict);
    }
    if (tightest) for (const [name, value] of headersOf(tightest.policy, tightest.verdict)) c.header(name, value);
    return undefined;
  }

  return {
    async middleware(c, next) {
      const route = routeOf(c);
      if (route === undefined || UNCOUNTED.has(route)) return next();
      return (await count(c, claimsOf(c, route))) ?? next();
    },
    async take(_, principal) {
      if (principal.kind === "token" || known === 0) return { allowed: true, retryAfterSeconds: 0 };
      const { allowed, retryMs } = await limiter.take(`${principal.id} websocket`, WEBSOCKET);
      return { allowed, retryAfterSeconds: Math.ceil(retryMs / 1000) };
    },
    async refused(c) {
      if (anonymous === 0) return undefined;
      const policy = perMinute(anonymous);
      const verdict = await limiter.take(`ip ${blockOf(addressOf(c))}`, policy);
      return verdict.allowed ? undefined : tooMany(c, policy, verdict);
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

function tooMany(c: Context, policy: Policy, verdict: Verdict): Response {
  const seconds = Math.ceil(verdict.retryMs / 1000);
  const detail = `Cannot answer more requests: there were ${policy.limit} within ${policy.windowMs / 1000} s, expected fewer; the next is answered in ${seconds} s`;
  return problem(c, 429, detail, {
    headers: { ...Object.fromEntries(headersOf(policy, verdict)), "retry-after": String(seconds) },
  });
}

/** RateLimit-… of the IETF's draft, with seconds from now; X-RateLimit-… as most clients know it, with a time. */
function headersOf({ limit, windowMs, burst }: Policy, { remaining, resetMs }: Verdict): [string, string][] {
  const reset = Math.ceil(resetMs / 1000);
  const policy = `${limit};w=${windowMs / 1000}${burst === undefined ? "" : `;burst=${burst}`}`;
  return [
    ["ratelimit-limit", String(limit)],
    ["ratelimit-remaining", String(remaining)],
    ["ratelimit-reset", String(reset)],
    ["ratelimit-policy", policy],
    ["x-ratelimit-limit", String(limit)],
    ["x-ratelimit-remaining", String(remaining)],
    ["x-ratelimit-reset", String(Math.floor(Date.now() / 1000) + reset)],
  ];
}
