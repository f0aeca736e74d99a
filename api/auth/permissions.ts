/**
 * What each route asks of who calls it: its least role, or that it is open. A route that is not here is an administrator's, and a test
 * fails until it is. Beyond this table: a `user` changes only rules and lists that are its own (own.ts).
 */
import type { Role } from "../../engine/access/roles.ts";
import { canonicalPath } from "../aliases.ts";

/** open: to anybody. local: to anybody on this machine, else as `viewer`. */
export type Permission = "open" | "local" | Role;

const TABLE: Readonly<Record<Permission, string>> = {
  open: `
    GET /
    GET /docs
    GET /openapi.json
    GET /graphiql
    GET /api/v1/health
    GET /ready
    POST /api/v1/auth/login
    POST /api/v1/auth/refresh`,
  local: `
    GET /metrics`,
  viewer: `
    GET /graphql
    POST /graphql
    GET /api/v1/transactions
    GET /api/v1/transactions/solana
    GET /api/v1/transactions/solana/:signature
    GET /api/v1/transactions/:hash
    GET /api/v1/transactions/:hash/risk
    GET /api/v1/transactions/:hash/life
    GET /api/v1/historical
    GET /api/v1/search/transactions
    GET /api/v1/risk-factors
    GET /api/v1/gas
    GET /api/v1/gas/history
    GET /api/v1/gas/prediction
    GET /api/v1/alerts
    GET /sse/stream
    GET /api/v1/alerts/:id
    GET /api/v1/alerts/:id/explain
    GET /api/v1/dead-letters
    GET /api/v1/features
    GET /api/v1/features/data
    GET /api/v1/archive
    GET /api/v1/archive/segments/:id
    GET /api/v1/archive/:table
    GET /api/v1/exports
    GET /api/v1/exports/:id
    GET /api/v1/exports/:id/files/:number
    GET /api/v1/export-schedules
    GET /api/v1/stats
    GET /api/v1/stats/daily
    GET /api/v1/arbitrageurs
    GET /api/v1/arbitrageurs/:address
    GET /api/v1/opportunities
    GET /api/v1/pools
    GET /api/v1/pools/:address
    GET /api/v1/transfers
    GET /api/v1/swaps
    GET /api/v1/arbitrages
    GET /api/v1/sandwiches
    GET /api/v1/liquidations
    GET /api/v1/mev-opportunities
    GET /api/v1/analytics/mev-summary
    GET /api/v1/chains
    GET /api/v1/rules
    GET /api/v1/rules/:name
    GET /api/v1/rules/:name/versions
    GET /api/v1/rules/:name/audit
    GET /api/v1/rules/:name/parameters
    GET /api/v1/rules/:name/explain
    GET /api/v1/rules/:name/cost
    GET /api/v1/rules/:name/trial
    GET /api/v1/rule-fields
    GET /api/v1/owners
    GET /api/v1/quotas
    GET /api/v1/lists
    GET /api/v1/lists/:name
    GET /api/v1/lists/:name/entries
    GET /api/v1/lists/:name/entries/:entry
    GET /api/v1/lists/:name/audit
    GET /api/v1/labels
    GET /api/v1/labels/:chain_id/:address
    GET /api/v1/labels/:chain_id/:address/audit
    GET /api/v1/notifications/channels
    GET /api/v1/notifications/channels/:name
    GET /api/v1/notifications/deliveries
    GET /api/v1/notifications/silences
    GET /api/v1/auth/me
    POST /api/v1/auth/logout
    POST /api/v1/auth/password
    POST /api/v1/auth/ticket
    GET /api/v1/auth/sessions
    DELETE /api/v1/auth/sessions/:id
    GET /api/v1/auth/api-keys
    POST /api/v1/auth/api-keys
    DELETE /api/v1/auth/api-keys/:id`,
  user: `
    PUT /api/v1/rules/:name
    POST /api/v1/rules
    POST /api/v1/rules/:name/enable
    POST /api/v1/rules/:name/disable
    POST /api/v1/rules/:name/promote
    POST /api/v1/rules/:name/rollback
    POST /api/v1/rules/:name/release
    PUT /api/v1/rules/:name/parameters
    PATCH /api/v1/rules/:name/parameters
    PUT /api/v1/lists/:name
    PATCH /api/v1/lists/:name
    DELETE /api/v1/lists/:name
    POST /api/v1/labels
    PUT /api/v1/labels/:chain_id/:address
    DELETE /api/v1/labels/:chain_id/:address
    POST /api/v1/notifications/silences
    DELETE /api/v1/notifications/silences/:id
    POST /api/v1/exports/:format
    DELETE /api/v1/exports/:id
    POST /api/v1/export-schedules
    DELETE /api/v1/export-schedules/:id
    POST /api/v1/alerts/:id/acknowledge`,
  admin: `
    PUT /api/v1/owners/:owner/quota
    POST /api/v1/notifications/preview
    POST /api/v1/notifications/channels
    PATCH /api/v1/notifications/channels/:name
    DELETE /api/v1/notifications/channels/:name
    POST /api/v1/notifications/channels/:name/test
    POST /api/v1/notifications/deliveries/:id/redeliver
    GET /api/v1/audit
    GET /api/v1/users
    POST /api/v1/users
    GET /api/v1/users/:id
    PATCH /api/v1/users/:id
    DELETE /api/v1/users/:id
    GET /api/v1/users/:id/sessions
    DELETE /api/v1/users/:id/sessions/:session
    GET /api/v1/users/:id/api-keys
    DELETE /api/v1/users/:id/api-keys/:key`,
};

/** By `METHOD /path/:parameter`. */
export const PERMISSIONS: ReadonlyMap<string, Permission> = new Map(
  Object.entries(TABLE).flatMap(
    ([permission, routes]) =>
    routes.trim().split("\n").map((route) => [route.trim(), permission as Permission] as const), // biome-ignore format: one chain
  ),
);

/** @param route `GET /api/v1/rules/:name` or `GET /api/v1/rules/{name}`, also by an alias */
export function permissionOf(route: string): Permission {
  const known = PERMISSIONS.get(route);
  if (known !== undefined) return known;
  const [method, path] = route.split(" ") as [string, string];
  return PERMISSIONS.get(`${method} ${canonicalPath(path.replace(/\{(\w+)\}/g, ":$1"))}`) ?? "admin";
}
