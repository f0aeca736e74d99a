import { z } from "zod";
import { checkAnswer } from "../answer.ts";
import { member } from "./discord.ts";
import { cut, type Kind } from "./kind.ts";
import { httpUrl } from "./webhook.ts";

const settings = z.strictObject({
  token: z.string().regex(/^\d{1,20}:[A-Za-z0-9_-]{10,100}$/, { error: "expected a bot's token, digits:letters" }),
  chat_id: z.string().regex(/^(-?\d{1,20}|@\w{1,64})$/, { error: "expected a chat's number, or @name" }),
  api_url: httpUrl.default("https://api.telegram.org").meta({ description: "of a bot server of one's own" }),
});

/** A Telegram chat by a bot; a retraction edits the message that it takes back. */
export const telegram: Kind<z.infer<typeof settings>> = {
  settings,
  secrets: ["token"],
  recipients: ({ chat_id }) => [chat_id],
  async send({ title, text, edits }, { token, api_url }, chat, { outbound }) {
    const method = edits ? "editMessageText" : "sendMessage";
    const content = {
      chat_id: chat,
      text: cut(`${title}\n${text}`, 4_096),
      link_preview_options: { is_disabled: true },
    };
    const answer = await outbound({
      method: "POST",
      url: `${api_url.replace(/\/+$/, "")}/bot${token}/${method}`,
      body: JSON.stringify(edits ? { ...content, message_id: Number(edits) } : content),
    });
    const parameters = member(answer, "parameters") as { retry_after?: number } | undefined;
    checkAnswer(answer, "Telegram", parameters?.retry_after);
    const id = (member(answer, "result") as { message_id?: number } | undefined)?.message_id;
    return { ...(id === undefined ? {} : { ref: String(id) }), answer: `${answer.status}` };
  },
};
