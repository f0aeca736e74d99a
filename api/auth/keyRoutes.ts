/** API keys: one's own, and a user's for administrators. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type ApiKey, KEY_LIMITS } from "../../engine/access/keys.ts";
import { ROLES } from "../../engine/access/roles.ts";
import type { User } from "../../engine/access/user.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { refuse } from "../problem.ts";
import { createRouter, json, problemResponse } from "../router.ts";
import { by, principalOf } from "./guard.ts";
import { BODY_PROBLEMS, bodyOf, CONTROL_PROBLEMS, idText } from "./shapes.ts";
import type { WhoIs } from "./whoIs.ts";

const newKeyBody = z.strictObject({
  name: z.string().min(1).max(KEY_LIMITS.name).openapi({ description: "what it is for" }),
  expires_in_days: z.int().min(1).max(KEY_LIMITS.days).optional().openapi({ description: "left out: it never expires" }),
  role: z.enum(ROLES).optional().openapi({ description: "what it may do at most; left out: what its user may" }),
  allow_ips: z.array(z.string().max(64)).min(1).max(KEY_LIMITS.allowIps).optional().openapi({
    description: "addresses and CIDR blocks it is accepted from; left out: from anywhere",
  }),
}); // biome-ignore format: a property a line

const keyFields = {
  id: z.int(),
  name: z.string(),
  prefix: z.string().openapi({ description: "its beginning" }),
  role: z.enum(ROLES),
  allow_ips: z.array(z.string()).nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable().openapi({ description: "to some seconds" }),
  last_ip: z.string().nullable(),
  uses: z.int().openapi({ description: "requests, to some seconds" }),
};
export const keySchema = z.object(keyFields).openapi("ApiKey");
export const newKeySchema = z
  .object({ key: z.string().openapi({ description: "the key itself: shown here, and never again" }), ...keyFields })
  .openapi("NewApiKey");

const toKey = ({ id, name, prefix, role, allowIps, createdAt, expiresAt, lastUsedAt, lastIp, uses }: ApiKey) => ({
  ...{ id, name, prefix, role, allow_ips: allowIps === null ? null : [...allowIps] },
  created_at: createdAt.toISOString(),
  expires_at: expiresAt?.toISOString() ?? null,
  last_used_at: lastUsedAt?.toISOString() ?? null,
  ...{ last_ip: lastIp, uses },
});

const NO_KEY = { 400: problemResponse("That is no id"), 404: problemResponse("There is no such key") };
const TAGS = { tags: ["access"] };

const own = {
  list: createRoute({
    ...{ method: "get", path: "/api/v1/auth/api-keys", ...TAGS, summary: "One's own API keys" },
    responses: { 200: json(z.array(keySchema), "Those that were not revoked"), 409: problemResponse("This is no user"), ...CONTROL_PROBLEMS },
  }),
  create: createRoute({
    ...{ method: "post", path: "/api/v1/auth/api-keys", ...TAGS, summary: "Make an API key" },
    description: "It is shown once. It may do what its user may, or less; a key cannot make keys.",
    request: bodyOf(newKeyBody),
    responses: { 201: json(newKeySchema, "The key"), 409: problemResponse("This is no login, or there are too many keys"), ...BODY_PROBLEMS },
  }),
  revoke: createRoute({
    ...{ method: "delete", path: "/api/v1/auth/api-keys/{id}", ...TAGS, summary: "Revoke one of one's own API keys" },
    request: { params: z.object({ id: idText }) },
    responses: { 200: json(keySchema, "The key, which is worth nothing now"), ...NO_KEY, 409: problemResponse("This is no user"), ...CONTROL_PROBLEMS },
  }),
}; // biome-ignore format: a route a few lines

const ofUser = {
  list: createRoute({
    ...{ method: "get", path: "/api/v1/users/{id}/api-keys", ...TAGS, summary: "A user's API keys" },
    request: { params: z.object({ id: idText }) },
    responses: { 200: json(z.array(keySchema), "Those that were not revoked"), ...NO_KEY, ...CONTROL_PROBLEMS },
  }),
  revoke: createRoute({
    ...{ method: "delete", path: "/api/v1/users/{id}/api-keys/{key}", ...TAGS, summary: "Revoke a user's API key" },
    request: { params: z.object({ id: idText, key: idText }) },
    responses: { 200: json(keySchema, "The key, which is worth nothing now"), ...NO_KEY, ...CONTROL_PROBLEMS },
  }),
};

export function keyRoutes({ access, log, whoIs }: Pick<ApiDeps, "access" | "log"> & { readonly whoIs: WhoIs }) {
  const { keys, users } = access;
  const router = createRouter();

  const ownUser = async (c: Context): Promise<User> => {
    const { userId, name } = principalOf(c);
    const user = userId === null ? undefined : await users.get(userId);
    if (!user) throw refuse(409, `Cannot have API keys as "${name}": it is no user, expected a login`);
    return user;
  };
  async function create(c: Context) {
    const user = await ownUser(c);
    // a key that is revoked must not live on in keys that it made
    if (principalOf(c).kind === "key") throw refuse(409, "Cannot make an API key with an API key: expected a login");
    const said = await readJson(c, "the key", newKeyBody, 16_384);
    if (said instanceof Response) return said;
    const { name, role = user.role, expires_in_days: expiresInDays, allow_ips: allowIps } = said;
    const { key, info } = await keys.create(user, { name, role, expiresInDays, allowIps }, by(c));
    log.info({ event: "api_key_added", key: info.prefix, user: user.username }, "Made an API key");
    return c.json({ key, ...toKey(info) }, 201);
  }
  async function revoke(c: Context, id: number, userId: number) {
    const gone = await keys.revoke(id, userId, by(c));
    if (!gone) throw refuse(404, "API key not found");
    whoIs.forget();
    log.info({ event: "api_key_revoked", key: gone.prefix }, "Revoked an API key");
    return c.json(toKey(gone), 200);
  }
  async function list(c: Context, userId: number) {
    await keys.flush();
    return withETag(c, (await keys.list(userId)).map(toKey));
  }

  router.openAPIRegistry.registerPath(own.create);
  router.post("/api/v1/auth/api-keys", create); // by a plain handler: its body is read no further than the limit
  return router
    .openapi(own.list, async (c) => list(c, (await ownUser(c)).id))
    .openapi(own.revoke, async (c) => revoke(c, c.req.valid("param").id, (await ownUser(c)).id))
    .openapi(ofUser.list, (c) => list(c, c.req.valid("param").id))
    .openapi(ofUser.revoke, (c) => revoke(c, c.req.valid("param").key, c.req.valid("param").id));
}
