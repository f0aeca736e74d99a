import { z } from "zod";
import { checkAnswer } from "../answer.ts";
import type { HttpAnswer } from "../outbound.ts";
import { cut, type Kind } from "./kind.ts";
import { httpUrl } from "./webhook.ts";

const settings = z.strictObject({ url: httpUrl.meta({ description: "the channel's webhook" }) });

/** A Discord channel by its webhook; a retraction edits the message that it takes back. */
export const discord: Kind<z.infer<typeof settings>> = {
  settings,
  secrets: ["url"],
  recipients: () => [""],
  async send({ title, text, edits }, { url }, _recipient, { outbound }) {
    // no name in a rule's message may call anybody
    const body = JSON.stringify({ content: cut(`**${title}**\n${text}`, 2_000), allowed_mentions: { parse: [] } });
    const [path, query] = url.split("?");
    const answer = edits
      ? await outbound({ method: "PATCH", url: `${path}/messages/${encodeURIComponent(edits)}`, body })
      : await outbound({ method: "POST", url: `${path}?${query ? `${query}&` : ""}wait=true`, body });
    checkAnswer(answer, "Discord", member(answer, "retry_after") as number | undefined);
    const id = member(answer, "id");
    return { ...(typeof id === "string" ? { ref: id } : {}), answer: `${answer.status}` };
  },
};

/** Of a JSON object that a service answered. */
export function member({ body }: HttpAnswer, name: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined; // an answer that is no JSON has no members: its status says what there is to know
  }
}
