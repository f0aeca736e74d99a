import { createHmac } from "node:crypto";
import { z } from "zod";
import { traceHeaders } from "../../../engine/ops/tracing.ts";
import { checkAnswer } from "../answer.ts";
import { urlProblem } from "../outbound.ts";
import type { Kind } from "./kind.ts";

export const httpUrl = z
  .string()
  .max(2_048)
  .refine((url) => urlProblem(url) === undefined, { error: "expected an http or https URL without user and password" });

const secret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, { error: "expected whsec_ and 24 to 64 bytes as base64" });

const settings = z.strictObject({
  url: httpUrl,
  secrets: z
    .array(secret)
    .min(1)
    .max(5)
    .meta({ description: "signs each message; several while one replaces another" }),
});

const TYPES = {
  alert: "alert.raised",
  digest: "alert.digest",
  retraction: "alert.retracted",
  escalation: "alert.escalated",
  trouble: "channel.trouble",
  test: "test",
} as const;

/** A URL of the user's, signed as Standard Webhooks has it. */
export const webhook: Kind<z.infer<typeof settings>> = {
  settings,
  secrets: ["url", "secrets"],
  recipients: () => [""],
  async send({ id, kind, title, text, alerts }, { url, secrets }, _recipient, { outbound, now }) {
    const at = now();
    const seconds = Math.floor(at.getTime() / 1_000);
    const body = JSON.stringify({ type: TYPES[kind], timestamp: at.toISOString(), data: { title, text, alerts } });
    const headers = {
      ...traceHeaders(),
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": secrets.map((each) => sign(each, id, seconds, body)).join(" "),
    };
    const answer = await outbound({ method: "POST", url, headers, body });
    checkAnswer(answer, new URL(url).host);
    return { answer: `${answer.status}` };
  },
};

/** `v1,` and the HMAC-SHA256 of `id.seconds.body` as base64. https://www.standardwebhooks.com */
function sign(key: string, id: string, seconds: number, body: string): string {
  const bytes = Buffer.from(key.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", bytes).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}
