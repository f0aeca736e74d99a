/** Logging in and out, and what is one's own. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ACCESS_SECONDS } from "../../engine/access/tokens.ts";
import type { User } from "../../engine/access/user.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { addressOf } from "../network.ts";
import { refuse } from "../problem.ts";
import { createRouter, json, problemResponse } from "../router.ts";
import { by, principalOf } from "./guard.ts";
import { BODY_PROBLEMS, bodyOf, CONTROL_PROBLEMS, sessionSchema, toSession, toUser, userSchema } from "./shapes.ts";
import type { Tickets } from "./ticket.ts";
import type { WhoIs } from "./whoIs.ts";

const text = (max: number) => z.string().min(1).max(max);
const loginBody = z.strictObject({ username: text(256), password: text(1024) });
const refreshBody = z.strictObject({ refresh_token: text(4096) });
const passwordBody = z.strictObject({ current_password: text(1024), new_password: text(1024) });

export const tokensSchema = z
  .object({
    access_token: z.string().openapi({ description: "goes into Authorization: Bearer" }),
    token_type: z.literal("bearer"),
    expires_in: z.int().openapi({ description: "seconds" }),
    refresh_token: z
      .string()
      .openapi({ description: "good for one use, at /auth/refresh; used twice, it ends the session" }),
    refresh_expires_at: z.string(),
  })
  .openapi("Tokens");

export const meSchema = z
  .object({
    name: z.string().openapi({ description: "owner of what is made, and who in the audit log" }),
    role: z.string(),
    kind: z.enum(["anonymous", "token", "session", "key", "certificate"]),
    user: z.union([userSchema, z.null()]).openapi({ description: "null: not a user" }),
  })
  .openapi("Me");

const ticketSchema = z
  .object({ ticket: z.string(), expires_in: z.int().openapi({ description: "seconds" }) })
  .openapi("Ticket");

const WRONG = {
  401: problemResponse("Wrong, or not valid any more"),
  429: problemResponse("Too many wrong passwords: the header Retry-After says when one is looked at again"),
};
const ended = z.object({ ended: z.string().openapi({ description: "id of the session" }) });

const BASE = "/api/v1/auth";
const route = (method: "get" | "post" | "delete", path: string, summary: string) => ({ method, path: BASE + path, tags: ["access"], summary }); // biome-ignore format: one line
const routes = {
  login: createRoute({
    ...route("post", "/login", "Log in with name and password"),
    request: bodyOf(loginBody),
    responses: { 200: json(tokensSchema, "The tokens of a new session"), ...BODY_PROBLEMS, ...WRONG },
  }),
  refresh: createRoute({
    ...route("post", "/refresh", "The next tokens of a session"),
    request: bodyOf(refreshBody),
    responses: { 200: json(tokensSchema, "Its tokens from now on"), ...BODY_PROBLEMS, ...WRONG },
  }),
  logout: createRoute({
    ...route("post", "/logout", "End this session"),
    responses: {
      200: json(ended, "It has ended"),
      409: problemResponse("This is no session"),
      ...CONTROL_PROBLEMS,
    },
  }),
  password: createRoute({
    ...route("post", "/password", "Change one's own password; all sessions end"),
    request: bodyOf(passwordBody),
    responses: {
      200: json(userSchema, "The user"),
      409: problemResponse("This is no user's session"),
      ...BODY_PROBLEMS,
      ...WRONG,
    },
  }),
  me: createRoute({
    ...route("get", "/me", "Who one is, and what one may do"),
    responses: { 200: json(meSchema, "Who asks"), ...CONTROL_PROBLEMS },
  }),
  ticket: createRoute({
    ...route("post", "/ticket", "A ticket for a WebSocket or event stream of a browser: for 30 seconds, once"),
    responses: { 200: json(ticketSchema, "Goes into the URL as ?ticket="), ...CONTROL_PROBLEMS },
  }),
  sessions: createRoute({
    ...route("get", "/sessions", "One's own sessions, the newest first"),
    responses: {
      200: json(z.array(sessionSchema), "Those that go on"),
      409: problemResponse("Who asks is no user"),
      ...CONTROL_PROBLEMS,
    },
  }),
  end: createRoute({
    ...route("delete", "/sessions/{id}", "End one of one's own sessions"),
    request: { params: z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, "Expected 32 hexadecimal digits") }) },
    responses: {
      200: json(ended, "It has ended"),
      400: problemResponse("That is no id"),
      404: problemResponse("There is no such session"),
      409: problemResponse("Who asks is no user"),
      ...CONTROL_PROBLEMS,
    },
  }),
};

interface Deps extends Pick<ApiDeps, "access" | "log"> {
  readonly tickets: Tickets;
  readonly whoIs: WhoIs;
}

export function loginRoutes({ access, log, tickets, whoIs }: Deps) {
  const { sessions, tokens, users } = access;
  const router = createRouter();

  async function tokensOf(session: string, rotation: number, user: User, expiresAt: Date) {
    return {
      access_token: await tokens.access(session, user.id),
      token_type: "bearer" as const,
      expires_in: ACCESS_SECONDS,
      refresh_token: await tokens.refresh(session, rotation, expiresAt),
      refresh_expires_at: expiresAt.toISOString(),
    };
  }
  async function login(c: Context) {
    const said = await readJson(c, "the login", loginBody);
    if (said instanceof Response) return said;
    const user = await access.logIn(said.username, said.password);
    const from = { ip: addressOf(c), userAgent: c.req.header("user-agent") ?? null };
    const { id, expiresAt } = await sessions.start(user, from);
    log.info({ event: "login", user: user.username, ip: from.ip }, "Logged in");
    return c.json(await tokensOf(id, 0, user, expiresAt), 200);
  }
  async function refresh(c: Context) {
    const said = await readJson(c, "the refresh token", refreshBody, 8192);
    if (said instanceof Response) return said;
    const read = await tokens.readRefresh(said.refresh_token);
    if (!read) throw refuse(401, "The refresh token is not valid: log in again");
    const next = await sessions.rotate(read.session, read.rotation).finally(whoIs.forget); // it may have ended
    return c.json(await tokensOf(read.session, next.rotation, next.user, next.expiresAt), 200);
  }
  async function end(c: Context, id: string, userId: number) {
    if (!(await sessions.end(id, userId, "logout", by(c)))) throw refuse(404, "Session not found");
    whoIs.forget();
    return c.json({ ended: id }, 200);
  }
  const ownUser = async (c: Context): Promise<User> => {
    const { userId, name } = principalOf(c);
    const user = userId === null ? undefined : await users.get(userId);
    if (!user) throw refuse(409, `Cannot do this as "${name}": it is no user, expected a login`);
    return user;
  };
  async function password(c: Context) {
    const user = await ownUser(c);
    if (principalOf(c).kind === "key")
      throw refuse(409, "Cannot change the password with an API key: expected a login");
    const said = await readJson(c, "the passwords", passwordBody);
    if (said instanceof Response) return said;
    await access.logIn(user.username, said.current_password);
    const changed = await users.change(user.id, { password: said.new_password }, by(c));
    whoIs.forget();
    return c.json(toUser(changed!), 200);
  }

  router.use(`${BASE}/*`, (c, next) => {
    c.header("cache-control", "no-store");
    return next();
  });
  const { end: endRoute, ...plain } = routes;
  for (const route of Object.values(plain)) router.openAPIRegistry.registerPath(route);
  router.post(`${BASE}/login`, login);
  router.post(`${BASE}/refresh`, refresh);
  router.post(`${BASE}/password`, password);
  router.post(`${BASE}/logout`, (c) => {
    const { sessionId, userId } = principalOf(c);
    if (sessionId === undefined || userId === null) throw refuse(409, "Cannot log out: this is no session");
    return end(c, sessionId, userId);
  });
  router.get(`${BASE}/me`, async (c) => {
    const { name, role, kind, userId } = principalOf(c);
    const user = userId === null ? undefined : await users.get(userId);
    return withETag(c, { name, role, kind, user: user ? toUser(user) : null });
  });
  router.post(`${BASE}/ticket`, async (c) => c.json(await tickets.issue(principalOf(c)), 200));
  router.get(`${BASE}/sessions`, async (c) => withETag(c, (await sessions.list((await ownUser(c)).id)).map(toSession)));
  router.openapi(endRoute, async (c) => end(c, c.req.valid("param").id, (await ownUser(c)).id));
  return router;
}
