import { z } from "zod";
import { checkAnswer } from "../answer.ts";
import { cut, type Kind } from "./kind.ts";
import { httpUrl } from "./webhook.ts";

const settings = z.strictObject({ url: httpUrl.meta({ description: "the incoming webhook's" }) });

/** A Slack channel by its incoming webhook. What it posts cannot be edited: a retraction is a message of its own. */
export const slack: Kind<z.infer<typeof settings>> = {
  settings,
  secrets: ["url"],
  recipients: () => [""],
  async send({ title, text }, { url }, _recipient, { outbound }) {
    const body = JSON.stringify({ text: cut(`*${escaped(title)}*\n${escaped(text)}`, 4_000) });
    const answer = await outbound({ method: "POST", url, body });
    checkAnswer(answer, "Slack");
    return { answer: answer.body.slice(0, 100) };
  },
};

/** The three that mean something in Slack's texts: a rule's message cannot call a channel or hide a link. */
const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
