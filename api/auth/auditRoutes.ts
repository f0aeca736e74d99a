/** The audit log, for administrators: every change, by whom, from where, with what was there before and after. */
import { createRoute, z } from "@hono/zod-openapi";
import { listAudit } from "../../engine/control/changes.ts";
import type { ApiDeps } from "../deps.ts";
import { link, withETag } from "../list.ts";
import { optional, paging, query, safeInteger, times, wordText } from "../parameters.ts";
import { createRouter, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { CONTROL_PROBLEMS } from "./shapes.ts";

export const auditSchema = z
  .object({
    id: z.int().openapi({ description: "in the order of changes" }),
    at: z.string(),
    who: z
      .string()
      .openapi({ description: "a user, `api token`, `engine`, or `cli NAME` of a command on the machine" }),
    action: z.string(),
    subject: z.string().openapi({ description: "rule NAME, list NAME, user NAME, key PREFIX, session ID, …" }),
    before: z.unknown().openapi({ description: "as it was; null: it was not there" }),
    after: z.unknown().openapi({ description: "as it is since; null: it is gone" }),
    ip: z.string().nullable().openapi({ description: "where the request came from; null: it was none" }),
    via: z.string().nullable().openapi({ description: "how they showed who they are" }),
  })
  .openapi("AuditEntry");

const audit = createRoute({
  method: "get",
  path: "/api/v1/audit",
  tags: ["access"],
  summary: "Every change, the newest first",
  request: {
    query: query({
      who: optional(wordText(), "of this user", "alice"),
      action: optional(wordText(64), "of this kind", "change user"),
      subject: optional(wordText(), "of this; ending in *, of all that begin so", "rule *"),
      ip: optional(wordText(64), "from this address"),
      ...times,
      ...paging(),
      before_id: optional(safeInteger, 'entries older than this one: how rel="next" goes on'),
    }),
  },
  responses: {
    200: { ...json(z.array(auditSchema), "A page of entries"), headers: LIST_HEADERS },
    400: problemResponse("Each parameter that does not fit"),
    ...CONTROL_PROBLEMS,
  },
});

export function auditRoutes({ control }: Pick<ApiDeps, "control">) {
  return createRouter().openapi(audit, async (c) => {
    const { limit = 100, offset = 0, before_id, ...filter } = c.req.valid("query");
    const { entries, total } = await listAudit(control, filter, { limit, offset, before: before_id });
    c.header("x-total-count", String(total));
    const last = entries.at(-1);
    if (last && entries.length === limit)
      c.header("link", link(c, "next", { before_id: String(last.id), offset: null }));
    return withETag(c, entries.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString() }))); // biome-ignore format: one line
  });
}
