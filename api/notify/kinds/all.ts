import { discord } from "./discord.ts";
import { email } from "./email.ts";
import type { Kind } from "./kind.ts";
import { slack } from "./slack.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

export const CHANNEL_KINDS = ["telegram", "discord", "slack", "email", "webhook"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

// biome-ignore lint/suspicious/noExplicitAny: settings are of their kind, which the table cannot say
export const KINDS: Readonly<Record<ChannelKind, Kind<any>>> = { telegram, discord, slack, email, webhook };
