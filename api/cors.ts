/** Pages of configured origins may read our answers, with a token of theirs; no other page may. There are no cookies, so none are allowed. */
import type { MiddlewareHandler } from "hono";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS = "authorization, content-type, if-none-match, last-event-id, x-api-key, x-request-id";
const EXPOSED =
  "etag, link, ratelimit-limit, ratelimit-policy, ratelimit-remaining, ratelimit-reset, retry-after, www-authenticate, x-request-id, x-total-count";
/** How long a browser may remember a preflight's answer. */
const REMEMBERED_S = "600";

/** @param origins as browsers write them: `https://app.example` */
export function cors(origins: readonly string[]): MiddlewareHandler {
  const known = new Set(origins);
  return async (c, next) => {
    const origin = c.req.header("origin");
    const allowed = origin !== undefined && known.has(origin);
    const preflight = c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined;
    if (allowed && preflight)
      return c.body(null, 204, {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": REMEMBERED_S,
        vary: "Origin",
      });
    await next();
    const { headers } = c.res;
    if (known.size > 0) headers.append("vary", "Origin");
    if (!allowed) return;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", EXPOSED);
  };
}
