/** What the routes of access have in common: shapes of answers, and what the docs say of all of them. */
import { z } from "@hono/zod-openapi";
import { ROLES } from "../../engine/access/roles.ts";
import type { Session } from "../../engine/access/sessions.ts";
import type { User } from "../../engine/access/user.ts";
import { wholeNumber } from "../parameters.ts";
import { COMMON_PROBLEMS, problemResponse } from "../router.ts";

export const idText = wholeNumber(1, 2 ** 31 - 1);

export const userSchema = z
  .object({
    id: z.int(),
    username: z.string(),
    role: z.enum(ROLES).openapi({
      description: "viewer: reads; user: also makes rules and lists, and changes its own; admin: everything",
    }),
    disabled: z.boolean().openapi({ description: "nothing of it is accepted" }),
    created_at: z.string(),
    updated_at: z.string(),
    password_changed_at: z.string(),
    last_login_at: z.string().nullable(),
  })
  .openapi("User");

export const toUser = ({ id, username, role, disabled, ...times }: User): z.infer<typeof userSchema> => ({
  ...{ id, username, role, disabled },
  created_at: times.createdAt.toISOString(),
  updated_at: times.updatedAt.toISOString(),
  password_changed_at: times.passwordChangedAt.toISOString(),
  last_login_at: times.lastLoginAt?.toISOString() ?? null,
});

export const sessionSchema = z
  .object({
    id: z.string(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: z.string(),
    used_at: z.string().openapi({ description: "last login or refresh" }),
    expires_at: z.string(),
  })
  .openapi("Session");

export const toSession = ({ id, ip, userAgent, createdAt, usedAt, expiresAt }: Session) => ({
  ...{ id, ip, user_agent: userAgent },
  created_at: createdAt.toISOString(),
  used_at: usedAt.toISOString(),
  expires_at: expiresAt.toISOString(),
});

export const CONTROL_PROBLEMS = { ...COMMON_PROBLEMS, 503: problemResponse("The control store cannot be reached") };
export const BODY_PROBLEMS = {
  ...CONTROL_PROBLEMS,
  400: problemResponse("What is wrong with the body"),
  413: problemResponse("The body is too large"),
  415: problemResponse("The body is not application/json"),
};
export const bodyOf = (schema: z.ZodType) => ({
  body: { required: true, content: { "application/json": { schema } } },
});
