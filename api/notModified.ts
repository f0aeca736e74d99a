/** 304 without a body for who has this very answer: of whatever bears an ETag. */
import type { MiddlewareHandler } from "hono";

export const notModified: MiddlewareHandler = async (c, next) => {
  await next();
  const asked = c.req.header("if-none-match");
  if (asked === undefined || c.res.status !== 200) return;
  const etag = c.res.headers.get("etag");
  const known = asked.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (etag === null || !(known.includes(etag) || known.includes("*"))) return;
  const headers = new Headers(c.res.headers);
  headers.delete("content-type");
  c.res = undefined;
  c.res = new Response(null, { status: 304, headers });
};
