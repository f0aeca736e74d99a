/** Users, for administrators. */
import { createRoute, z } from "@hono/zod-openapi";
import { PASSWORD_LIMITS } from "../../engine/access/password.ts";
import { ROLES } from "../../engine/access/roles.ts";
import type { User } from "../../engine/access/user.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { link, withETag } from "../list.ts";
import { paging, query } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { by } from "./guard.ts";
import {
  BODY_PROBLEMS,
  bodyOf,
  CONTROL_PROBLEMS,
  idText,
  sessionSchema,
  toSession,
  toUser,
  userSchema,
} from "./shapes.ts";
import type { WhoIs } from "./whoIs.ts";

const password = z.string().min(PASSWORD_LIMITS.least).max(PASSWORD_LIMITS.most);
const newUserBody = z.strictObject({ username: z.string().min(1).max(64), password, role: z.enum(ROLES) });
const changeBody = z
  .strictObject({ role: z.enum(ROLES).optional(), disabled: z.boolean().optional(), password: password.optional() })
  .refine((change) => Object.keys(change).length > 0, "Expected one of role, disabled and password");

const TAGS = { tags: ["access"] };
const PATH = "/api/v1/users/{id}";
const params = z.object({ id: idText });
const NO_USER = { 400: problemResponse("That is no id"), 404: problemResponse("There is no such user") };
const CONFLICT = { 409: problemResponse("The name is taken, or no administrator would be left") };

const list = createRoute({
  ...{ method: "get", path: "/api/v1/users", ...TAGS, summary: "Users" },
  request: { query: query(paging()) },
  responses: { 200: { ...json(z.array(userSchema), "In the order in which they were added"), headers: LIST_HEADERS }, 400: problemResponse("Each parameter that does not fit"), ...CONTROL_PROBLEMS },
}); // biome-ignore format: one line a response
const add = createRoute({
  ...{ method: "post", path: "/api/v1/users", ...TAGS, summary: "Add a user" },
  request: bodyOf(newUserBody),
  responses: { 201: json(userSchema, "The user"), ...CONFLICT, ...BODY_PROBLEMS },
});
const one = createRoute({
  ...{ method: "get", path: PATH, ...TAGS, summary: "A user" },
  request: { params },
  responses: { 200: json(userSchema, "The user"), ...NO_USER, ...CONTROL_PROBLEMS },
});
const change = createRoute({
  ...{ method: "patch", path: PATH, ...TAGS, summary: "Change a user's role or password, or disable it" },
  description:
    "With a new password, or disabled, its sessions end. Of a disabled user nothing is accepted; its keys are kept.",
  request: { params, ...bodyOf(changeBody) },
  responses: { 200: json(userSchema, "The user"), ...CONFLICT, ...BODY_PROBLEMS, ...NO_USER },
});
const remove = createRoute({
  ...{ method: "delete", path: PATH, ...TAGS, summary: "Remove a user" },
  description: "Its sessions and keys end. What it made stays, and its name stays taken, since that is whose it is.",
  request: { params },
  responses: { 200: json(userSchema, "The user that is gone"), ...CONFLICT, ...NO_USER, ...CONTROL_PROBLEMS },
});
const sessions = createRoute({
  ...{ method: "get", path: `${PATH}/sessions`, ...TAGS, summary: "A user's sessions" },
  request: { params },
  responses: {
    200: json(z.array(sessionSchema), "Those that go on, the newest first"),
    ...NO_USER,
    ...CONTROL_PROBLEMS,
  },
});
const endSession = createRoute({
  ...{ method: "delete", path: `${PATH}/sessions/{session}`, ...TAGS, summary: "End a user's session" },
  request: {
    params: z.object({ id: idText, session: z.string().regex(/^[0-9a-f]{32}$/, "Expected 32 hexadecimal digits") }),
  },
  responses: { 200: json(z.object({ ended: z.string() }), "It has ended"), ...NO_USER, ...CONTROL_PROBLEMS },
});

export function userRoutes({ access, log, whoIs }: Pick<ApiDeps, "access" | "log"> & { readonly whoIs: WhoIs }) {
  const { users } = access;
  const router = createRouter();
  const known = (user: User | undefined): User => {
    if (!user) throw refuse(404, "User not found");
    return user;
  };

  // By plain handlers: their bodies are read no further than the limit.
  router.openAPIRegistry.registerPath(add);
  router.post("/api/v1/users", async (c) => {
    const said = await readJson(c, "the user", newUserBody);
    if (said instanceof Response) return said;
    const user = await users.add(said, by(c));
    log.info({ event: "user_added", user: user.username, role: user.role }, "Added a user");
    return c.json(toUser(user), 201);
  });
  router.openAPIRegistry.registerPath(change);
  router.patch("/api/v1/users/:id", async (c) => {
    const id = idText.safeParse(c.req.param("id"));
    if (!id.success) throw refuse(400, "Invalid id: expected the number of a user");
    const said = await readJson(c, "the change", changeBody);
    if (said instanceof Response) return said;
    const user = known(await users.change(id.data, said, by(c)));
    whoIs.forget();
    log.info(
      { event: "user_changed", user: user.username, role: user.role, disabled: user.disabled },
      "Changed a user",
    );
    return c.json(toUser(user), 200);
  });

  return router
    .openapi(list, async (c) => {
      const { limit = 100, offset = 0 } = c.req.valid("query");
      const { users: page, total } = await users.list({ limit, offset });
      c.header("x-total-count", String(total));
      if (offset + page.length < total) c.header("link", link(c, "next", { offset: String(offset + limit) }));
      return withETag(c, page.map(toUser));
    })
    .openapi(one, async (c) => withETag(c, toUser(known(await users.get(c.req.valid("param").id)))))
    .openapi(remove, async (c) => {
      const gone = known(await users.remove(c.req.valid("param").id, by(c)));
      whoIs.forget();
      log.info({ event: "user_removed", user: gone.username }, "Removed a user");
      return c.json(toUser(gone), 200);
    })
    .openapi(sessions, async (c) => {
      const { id } = known(await users.get(c.req.valid("param").id));
      return withETag(c, (await access.sessions.list(id)).map(toSession));
    })
    .openapi(endSession, async (c) => {
      const { id, session } = c.req.valid("param");
      if (!(await access.sessions.end(session, id, "admin", by(c)))) throw refuse(404, "Session not found");
      whoIs.forget();
      return c.json({ ended: session }, 200);
    });
}
