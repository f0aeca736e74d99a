import { createRoute, z } from "@hono/zod-openapi";
import { NOTIFICATION_STATES } from "../../engine/control/schema.ts";
import { by } from "../auth/guard.ts";
import { BODY_PROBLEMS, bodyOf, CONTROL_PROBLEMS } from "../auth/shapes.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { link, withETag } from "../list.ts";
import { optional, paging, query, wordText } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, json, LIST_HEADERS, problemResponse } from "../router.ts";
import type { AlertFacts } from "./message.ts";
import type { NotificationRow } from "./outbox.ts";
import type { SilenceRow } from "./silences.ts";

const TAGS = { tags: ["notifications"] };
const idText = z
  .string()
  .regex(/^\d{1,15}$/, { error: "Expected a number" })
  .transform(Number);
const idParam = z.object({ id: idText.openapi({ type: "integer" }) });
const alertId = z.string().regex(/^[0-9a-f]{32}$/, { error: "Expected the id of an alert, 32 hex digits" });
const alertParam = z.object({ id: alertId.openapi({ example: "0f".repeat(16) }) });

const deliverySchema = z
  .object({
    id: z.int(),
    channel: z.string(),
    recipient: z.string(),
    kind: z.string(),
    subject: z.string().openapi({ description: "id of the alert, or what else it is of" }),
    correlation_id: z.string().nullable().openapi({
      description: "where the alert's transaction came in; null: it is of no alert",
      example: "tx_raw/3/41000/0",
    }),
    state: z.enum(NOTIFICATION_STATES),
    reason: z.string().nullable(),
    message_id: z.string().nullable(),
    attempts: z.int(),
    due_at: z.string(),
    created_at: z.string(),
    sent_at: z.string().nullable(),
    answer: z.string().nullable(),
    acknowledged_by: z.string().nullable(),
  })
  .openapi("NotificationDelivery");

const silenceSchema = z
  .object({
    id: z.int(),
    rules: z.array(z.string()),
    chains: z.array(z.string()),
    addresses: z.array(z.string()),
    starts_at: z.string(),
    ends_at: z.string(),
    comment: z.string(),
    created_by: z.string(),
  })
  .openapi("NotificationSilence");

const newSilence = z
  .strictObject({
    rules: z
      .array(z.string().max(100))
      .max(1_000)
      .default([])
      .openapi({ description: "names, * at the end for any; none: all" }),
    chains: z
      .array(z.string().regex(/^\d{1,20}$/))
      .max(100)
      .default([]),
    addresses: z
      .array(
        z
          .string()
          .regex(/^0x[0-9a-fA-F]{40}$/)
          .transform((text) => text.toLowerCase()),
      )
      .max(1_000)
      .default([]),
    starts_at: z.iso.datetime().optional().openapi({ description: "now, unless it is said" }),
    ends_at: z.iso.datetime(),
    comment: z.string().min(1).max(1_000),
  })
  .refine(({ starts_at, ends_at }) => new Date(ends_at) > (starts_at ? new Date(starts_at) : new Date()), {
    path: ["ends_at"],
    error: "Expected a time after the beginning",
  })
  .openapi("NewNotificationSilence");

const list = createRoute({
  ...{ method: "get", path: "/api/v1/notifications/deliveries", ...TAGS },
  summary: "What channels were told, or are to be, and what became of it; the last first",
  request: {
    query: query({
      state: optional(z.enum(NOTIFICATION_STATES), "waiting, sending, delivered, suppressed or dead"),
      channel: optional(wordText(64), "name of the channel"),
      alert: optional(alertId, "id of the alert"),
      ...paging(),
    }),
  },
  responses: { 200: { ...json(z.array(deliverySchema), "Deliveries"), headers: LIST_HEADERS }, ...CONTROL_PROBLEMS },
});
const redeliver = createRoute({
  ...{ method: "post", path: "/api/v1/notifications/deliveries/{id}/redeliver", ...TAGS },
  summary: "Send one again that was delivered or given up, with the same message id",
  request: { params: idParam },
  responses: {
    202: json(z.object({ id: z.int() }), "On its way"),
    404: problemResponse("There is none that was delivered or given up"),
    ...CONTROL_PROBLEMS,
  },
});
const acknowledge = createRoute({
  ...{ method: "post", path: "/api/v1/alerts/{id}/acknowledge", ...TAGS },
  summary: "Take note of an alert: it is not escalated",
  request: { params: alertParam },
  responses: {
    200: json(z.object({ deliveries: z.int() }), "Deliveries of it"),
    404: problemResponse("No channel was told of it"),
    ...CONTROL_PROBLEMS,
  },
});
const silences = createRoute({
  ...{ method: "get", path: "/api/v1/notifications/silences", ...TAGS },
  summary: "Alerts that nobody is to be told of for a while",
  responses: { 200: json(z.array(silenceSchema), "Silences that are not over"), ...CONTROL_PROBLEMS },
});
const silence = createRoute({
  ...{ method: "post", path: "/api/v1/notifications/silences", ...TAGS },
  summary: "Keep alerts from all channels for a while; they are stored and listed all the same",
  request: bodyOf(newSilence),
  responses: { 201: json(silenceSchema, "The silence"), ...BODY_PROBLEMS, ...CONTROL_PROBLEMS },
});
const unsilence = createRoute({
  ...{ method: "delete", path: "/api/v1/notifications/silences/{id}", ...TAGS },
  summary: "End a silence",
  request: { params: idParam },
  responses: {
    200: json(silenceSchema, "The silence that is over"),
    404: problemResponse("There is none"),
    ...CONTROL_PROBLEMS,
  },
});

export function deliveryRoutes({ notifications }: Pick<ApiDeps, "notifications">) {
  const router = createRouter();
  router.openAPIRegistry.registerPath(silence);
  router.post(silence.path, async (c) => {
    const said = await readJson(c, "the silence", newSilence, 64 * 1024);
    if (said instanceof Response) return said;
    const { starts_at, ends_at, ...rest } = said;
    const startsAt = starts_at ? new Date(starts_at) : new Date();
    return c.json(
      toSilence(await notifications.silences.add({ ...rest, startsAt, endsAt: new Date(ends_at) }, by(c))),
      201,
    );
  });

  return router
    .openapi(list, async (c) => {
      const { state, channel, alert, limit = 100, offset = 0 } = c.req.valid("query");
      const filter = { ...(state && { state }), ...(channel && { channel }), ...(alert && { subject: alert }) };
      const { total, rows } = await notifications.outbox.list(filter, { limit, offset });
      c.header("x-total-count", String(total));
      const links = [link(c, "first", { offset: null })];
      if (offset + limit < total) links.push(link(c, "next", { offset: String(offset + limit) }));
      c.header("link", links.join(", "));
      return withETag(c, rows.map(toDelivery));
    })
    .openapi(redeliver, async (c) => {
      const row = await notifications.outbox.redeliver(c.req.valid("param").id, new Date(), by(c));
      if (!row) throw refuse(404, "There is no such delivery that was delivered or given up");
      return c.json({ id: row.id }, 202);
    })
    .openapi(acknowledge, async (c) => {
      const deliveries = await notifications.outbox.acknowledge(c.req.valid("param").id, by(c));
      if (deliveries === 0) throw refuse(404, "No channel was told of this alert");
      return c.json({ deliveries }, 200);
    })
    .openapi(silences, async (c) => withETag(c, (await notifications.silences.list(new Date())).map(toSilence)))
    .openapi(unsilence, async (c) => {
      const gone = await notifications.silences.remove(c.req.valid("param").id, by(c));
      if (!gone) throw refuse(404, "Silence not found");
      return c.json(toSilence(gone), 200);
    });
}

const toDelivery = (row: NotificationRow & { channelName: string }): z.infer<typeof deliverySchema> => ({
  ...{ id: row.id, channel: row.channelName, recipient: row.recipient, kind: row.kind, subject: row.subject },
  correlation_id: (row.alert as Partial<AlertFacts> | null)?.correlation_id ?? null,
  ...{ state: row.state, reason: row.reason, message_id: row.messageId, attempts: row.attempts },
  ...{ due_at: row.dueAt.toISOString(), created_at: row.createdAt.toISOString() },
  ...{ sent_at: row.sentAt?.toISOString() ?? null, answer: row.answer, acknowledged_by: row.acknowledged },
});

const toSilence = ({
  id,
  rules,
  chains,
  addresses,
  startsAt,
  endsAt,
  comment,
  createdBy,
}: SilenceRow): z.infer<typeof silenceSchema> => ({
  ...{ id, rules, chains, addresses, comment, created_by: createdBy },
  ...{ starts_at: startsAt.toISOString(), ends_at: endsAt.toISOString() },
});
