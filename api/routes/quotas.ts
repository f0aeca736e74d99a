/** What who asks may have, and has: requests, rules, API keys. What all owners have is at /api/v1/owners. */
import { createRoute, z } from "@hono/zod-openapi";
import { KEY_LIMITS } from "../../engine/access/keys.ts";
import { ROLES } from "../../engine/access/roles.ts";
import { principalOf } from "../auth/guard.ts";
import type { ApiDeps } from "../deps.ts";
import { KINDS } from "../limits/policy.ts";
import type { RateLimits } from "../limits/rateLimits.ts";
import { withETag } from "../list.ts";
import { COMMON_PROBLEMS, createRouter, json, problemResponse } from "../router.ts";

export const quotasSchema = z
  .object({
    name: z.string().openapi({ description: "who asks: rules, lists and keys of this owner" }),
    role: z.enum(ROLES),
    requests: z
      .array(
        z.object({
          of: z.enum(["all", "alerts"]).openapi({ description: "paths that the limit is about" }),
          kind: z.enum(KINDS).openapi({ description: "how they are counted: fixed or sliding windows, token bucket" }),
          limit: z.int(),
          window_seconds: z.int(),
          remaining: z.int().openapi({ description: "that would be answered now" }),
          reset_seconds: z.int().openapi({ description: "until none of those so far counts any more" }),
        }),
      )
      .openapi({ description: "each limit that a request counts for; none: any number is answered" }),
    rules: z.object({
      max: z.int().openapi({ description: "that run at most" }),
      used: z.int().openapi({ description: "that run, or would if they were not throttled" }),
      throttled: z.int().openapi({ description: "of them" }),
    }),
    fuel_per_second: z.object({
      max: z.number().nullable().openapi({
        description: "that the rules may use for a second of the stream, in one engine; null: no bound",
      }),
    }),
    api_keys: z
      .object({ max: z.int(), used: z.int() })
      .nullable()
      .openapi({ description: "null: who asks is no user, and has none" }),
  })
  .openapi("Quotas"); // biome-ignore format: one property a line

const quotas = createRoute({
  method: "get",
  path: "/api/v1/quotas",
  tags: ["access"],
  summary: "What you may have, and have",
  responses: {
    200: json(quotasSchema, "Limits of who asks, and how far they are used"),
    503: problemResponse("The control store cannot be reached"),
    ...COMMON_PROBLEMS,
  },
});

export function quotaRoutes({
  rules,
  access,
  limits,
}: Pick<ApiDeps, "rules" | "access"> & { readonly limits: Pick<RateLimits, "left"> }) {
  return createRouter().openapi(quotas, async (c) => {
    const { name, role, userId } = principalOf(c);
    const { maxRules, fuelPerSecond } = rules.owners.quotaOf(name);
    const counts = rules.countByOwner().get(name);
    return withETag(c, {
      ...{ name, role },
      requests: (await limits.left(c)).map(({ of, policy, verdict }) => ({
        ...{ of, kind: policy.kind, limit: policy.limit, window_seconds: policy.windowMs / 1_000 },
        ...{ remaining: verdict.remaining, reset_seconds: Math.ceil(verdict.resetMs / 1_000) },
      })),
      rules: { max: maxRules, used: counts?.running ?? 0, throttled: counts?.throttled ?? 0 },
      fuel_per_second: { max: Number.isFinite(fuelPerSecond) ? fuelPerSecond : null },
      api_keys: userId === null ? null : { max: KEY_LIMITS.perUser, used: (await access.keys.list(userId)).length },
    });
  });
}
