/**
 * Further names of paths, as earlier systems had them. A request is routed by the canonical path, so it has the same handler, permission, limit and
 * metric; its links keep the name that it came by.
 *
 *     GET /stats/daily?days=7  ──▶  GET /api/v1/stats/daily
 */
import { getPath } from "hono/utils/url";
import type { OpenApiDocument, Operation } from "./docs.ts";

/** Name to canonical path; what follows stays. */
export const ALIASES: Readonly<Record<string, string>> = {
  "/health": "/api/v1/health",
  "/auth": "/api/v1/auth",
  "/transactions": "/api/v1/transactions",
  "/historical": "/api/v1/historical",
  "/stats": "/api/v1/stats",
  "/alerts": "/api/v1/alerts",
  "/api/v1/transactions/search": "/api/v1/search/transactions",
  "/export": "/api/v1/exports",
  "/schedule/export": "/api/v1/export-schedules",
  "/redoc": "/docs",
};

const ALIAS = new RegExp(`^(?:${Object.keys(ALIASES).join("|")})(?=/|$)`);

/** The path that it is routed by. */
export const canonicalPath = (path: string): string => path.replace(ALIAS, (name) => ALIASES[name]!);

/** For Hono: where a request goes. */
export const routedPath = (request: Request): string => canonicalPath(getPath(request));

/** Writes the aliases into the document, each with what its canonical path has. */
export function describeAliases(document: OpenApiDocument): void {
  const paths = document.paths as Record<string, Record<string, unknown>>;
  for (const [name, target] of Object.entries(ALIASES))
    for (const [path, item] of Object.entries(paths)) {
      if (path !== target && !path.startsWith(`${target}/`)) continue;
      const operations = Object.entries(item).map(([method, operation]) => [
        method,
        { ...(operation as Operation), description: `The same as ${path}.` },
      ]);
      paths[name + path.slice(target.length)] = Object.fromEntries(operations);
    }
}
