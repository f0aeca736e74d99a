/** A span a request, of the trace that its `traceparent` names or of one of its own. Its store calls are steps of it. */
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { isTracing, traced } from "../engine/ops/tracing.ts";
import { pathOf } from "./problem.ts";

/** The pattern of a request's route: raw paths would be labels, and names of spans, without end. */
export function endpointOf(c: Context): string {
  const path = routePath(c, -1);
  return path.includes("*") ? "unmatched" : path;
}

const METHODS = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]);
export const methodOf = (c: Context): string => (METHODS.has(c.req.method) ? c.req.method : "other");

export const tracedRequests: MiddlewareHandler = (c, next) => {
  if (!isTracing()) return next();
  const [method, route] = [methodOf(c), endpointOf(c)];
  const facts = {
    ...{ "http.request.method": method, "http.route": route, "url.path": pathOf(c) },
    "weir.request_id": c.get("requestId") as string,
  };
  const [traceparent, tracestate] = [c.req.header("traceparent"), c.req.header("tracestate")];
  const from = { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
  return traced(
    `${method} ${route}`,
    facts,
    async (span) => {
      await next();
      span.set({ "http.response.status_code": c.res.status });
      if (c.res.status >= 500) span.fail();
    },
    { kind: "server", from },
  );
};
