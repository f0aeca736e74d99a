import { createRoute, z } from "@hono/zod-openapi";
import { by } from "../auth/guard.ts";
import { BODY_PROBLEMS, bodyOf, CONTROL_PROBLEMS } from "../auth/shapes.ts";
import { readJson } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { bodyErrors, invalid, refuse } from "../problem.ts";
import { createRouter, json, problemResponse } from "../router.ts";
import { type Channel, CONFIGURED } from "./channels.ts";
import { CHANNEL_KINDS, KINDS } from "./kinds/all.ts";
import { type AlertFacts, MESSAGE_KINDS } from "./message.ts";
import { policySchema } from "./policy.ts";
import { DEFAULT_TEXT, DEFAULT_TITLE, MAX_TEMPLATE, parseTemplate, renderTemplate } from "./template.ts";

const PATH = "/api/v1/notifications/channels";
const TAGS = { tags: ["notifications"] };
const MAX_BODY = 64 * 1024;

const nameText = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, { error: "Expected lower-case letters, digits, - and _, at most 64" });
const nameParam = z.object({ name: nameText.openapi({ example: "ops-slack" }) });
const settingsText = z.record(z.string(), z.unknown()).openapi({
  description:
    "of its kind: url (slack, discord), url and secrets (webhook), token and chat_id (telegram), to (email). Secrets are shown as (set), and stay where they are sent back so",
});

const channelSchema = z
  .object({
    name: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    settings: settingsText,
    policy: policySchema,
    owner: z.string(),
    configured: z.boolean().openapi({ description: "variables make it: it cannot be changed here" }),
    enabled: z.boolean(),
    reason: z.string().nullable().openapi({ description: "why it was disabled, when its service refused for good" }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("NotificationChannel");

const newChannel = z
  .strictObject({
    name: nameText,
    kind: z.enum(CHANNEL_KINDS),
    settings: settingsText,
    policy: policySchema.prefault({}),
    enabled: z.boolean().default(true),
  })
  .openapi("NewNotificationChannel");

const changeBody = z
  .strictObject({ settings: settingsText.optional(), policy: policySchema.optional(), enabled: z.boolean().optional() })
  .openapi("NotificationChannelChange");

const previewBody = z.strictObject({
  title: z.string().min(1).max(MAX_TEMPLATE).default(DEFAULT_TITLE),
  text: z.string().min(1).max(MAX_TEMPLATE).default(DEFAULT_TEXT),
  kind: z.enum(MESSAGE_KINDS).default("alert"),
  count: z.int().min(1).max(100).default(1).openapi({ description: "alerts in the message" }),
});

const previewSchema = z.object({ title: z.string(), text: z.string() }).openapi("NotificationPreview");
const testSchema = z.object({ message_ids: z.array(z.string()) }).openapi("NotificationTest");

const list = createRoute({
  ...{ method: "get", path: PATH, ...TAGS },
  summary: "Where alerts are told",
  responses: { 200: json(z.array(channelSchema), "Channels, by name"), ...CONTROL_PROBLEMS },
});
const one = createRoute({
  ...{ method: "get", path: `${PATH}/{name}`, ...TAGS },
  summary: "One of them",
  request: { params: nameParam },
  responses: { 200: json(channelSchema, "The channel"), 404: problemResponse("There is none"), ...CONTROL_PROBLEMS },
});
const add = createRoute({
  ...{ method: "post", path: PATH, ...TAGS },
  summary: "Tell alerts somewhere: what comes from then on",
  request: bodyOf(newChannel),
  responses: {
    201: json(channelSchema, "The channel"),
    409: problemResponse("There is one of this name"),
    ...BODY_PROBLEMS,
    ...CONTROL_PROBLEMS,
  },
});
const change = createRoute({
  ...{ method: "patch", path: `${PATH}/{name}`, ...TAGS },
  summary: "Change a channel; a policy replaces the one before, settings are laid over those before",
  request: { params: nameParam, ...bodyOf(changeBody) },
  responses: {
    200: json(channelSchema, "The channel"),
    404: problemResponse("There is none"),
    409: problemResponse("Variables make it"),
    ...BODY_PROBLEMS,
    ...CONTROL_PROBLEMS,
  },
});
const remove = createRoute({
  ...{ method: "delete", path: `${PATH}/{name}`, ...TAGS },
  summary: "Remove a channel, with all that it was to be told",
  request: { params: nameParam },
  responses: {
    200: json(channelSchema, "The channel that is gone"),
    404: problemResponse("There is none"),
    409: problemResponse("Variables make it"),
    ...CONTROL_PROBLEMS,
  },
});
const test = createRoute({
  ...{ method: "post", path: `${PATH}/{name}/test`, ...TAGS },
  summary: "Send a test message, also to one that is disabled; what became of it is in the deliveries",
  request: { params: nameParam },
  responses: { 202: json(testSchema, "On its way"), 404: problemResponse("There is none"), ...CONTROL_PROBLEMS },
});
const preview = createRoute({
  ...{ method: "post", path: "/api/v1/notifications/preview", ...TAGS },
  summary: "What templates make of an example",
  request: bodyOf(previewBody),
  responses: { 200: json(previewSchema, "Title and text"), ...BODY_PROBLEMS, ...CONTROL_PROBLEMS },
});

export function channelRoutes({ notifications: { channels, outbox }, log }: Pick<ApiDeps, "notifications" | "log">) {
  const router = createRouter();
  const path = (route: { path: string }): string => route.path.replace("{name}", ":name");
  const known = <T>(found: T | undefined): T => {
    if (found === undefined) throw refuse(404, "Channel not found");
    return found;
  };

  // By plain handlers: their bodies are read no further than the limit.
  router.openAPIRegistry.registerPath(add);
  router.post(path(add), async (c) => {
    const said = await readJson(c, "the channel", newChannel, MAX_BODY);
    if (said instanceof Response) return said;
    const settings = KINDS[said.kind].settings.safeParse(said.settings);
    if (!settings.success) return invalid(c, bodyErrors(under("settings", settings.error.issues)));
    checkTemplates(said.policy);
    const channel = await channels.add({ ...said, settings: settings.data }, by(c));
    log.info({ event: "channel_added", channel: channel.name, kind: channel.kind }, "Added a notification channel");
    return c.json(shown(channel), 201);
  });
  router.openAPIRegistry.registerPath(change);
  router.patch(path(change), async (c) => {
    const said = await readJson(c, "the change", changeBody, MAX_BODY);
    if (said instanceof Response) return said;
    if (said.policy) checkTemplates(said.policy);
    const { name } = nameParam.parse(c.req.param());
    const { settings, policy, enabled } = said;
    try {
      const given = {
        ...(settings && { settings }),
        ...(policy && { policy }),
        ...(enabled !== undefined && { enabled }),
      };
      return c.json(shown(known(await channels.change(name, given, by(c)))), 200);
    } catch (error) {
      if (error instanceof z.ZodError) return invalid(c, bodyErrors(under("settings", error.issues)));
      throw error;
    }
  });
  router.openAPIRegistry.registerPath(preview);
  router.post(path(preview), async (c) => {
    const said = await readJson(c, "the templates", previewBody, MAX_BODY);
    if (said instanceof Response) return said;
    const { kind, count } = said;
    const alerts = Array.from({ length: count }, () => EXAMPLE);
    const context = {
      ...{ kind, count, alerts, alert: EXAMPLE, channel: "example", severity: EXAMPLE.severity },
      trouble: "an example of a trouble",
    };
    const title = await renderTemplate("title", said.title, context);
    return c.json({ title, text: await renderTemplate("text", said.text, context) }, 200);
  });

  return router
    .openapi(list, async (c) => withETag(c, (await channels.list()).map(shown)))
    .openapi(one, async (c) => withETag(c, shown(known(await channels.get(c.req.valid("param").name)))))
    .openapi(remove, async (c) => {
      const gone = known(await channels.remove(c.req.valid("param").name, by(c)));
      log.info({ event: "channel_removed", channel: gone.name }, "Removed a notification channel");
      return c.json(shown(gone), 200);
    })
    .openapi(test, async (c) => {
      const channel = known(await channels.get(c.req.valid("param").name));
      const recipients = KINDS[channel.kind].recipients(channel.settings);
      return c.json({ message_ids: await outbox.putTest(channel, recipients, new Date()) }, 202);
    });
}

const checkTemplates = ({ title, text }: { title: string; text: string }): void => {
  parseTemplate("title", title);
  parseTemplate("text", text);
};

const under = (member: string, issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  issues.map((issue) => ({ ...issue, path: [member, ...issue.path] }));

const shown = ({ createdAt, updatedAt, id: _, ...channel }: Channel): z.infer<typeof channelSchema> => ({
  ...channel,
  settings: { ...channel.settings },
  configured: channel.owner === CONFIGURED,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
});

const EXAMPLE: AlertFacts = {
  ...{ id: "0f".repeat(16), rule: "whale-transfer", rule_version: 3, severity: "high", chain_id: "1" },
  ...{ tx_hash: `0x${"ab".repeat(32)}`, block_number: "21000000", block_hash: `0x${"cd".repeat(32)}` },
  ...{ from_address: `0x${"11".repeat(20)}`, to_address: `0x${"22".repeat(20)}`, message: "1,200 ETH moved" },
  ...{ detected_at: "2026-01-01T00:00:00.000000Z", correlation_id: "tx_raw/3/41000/0" },
};
