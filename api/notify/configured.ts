/** Channels that variables make: TELEGRAM_BOT_TOKEN, DISCORD_WEBHOOK_URL, SLACK_WEBHOOK_URL, SMTP_HOST. Each has its kind's name. */
import { type Config, ConfigError, type ConfigProblem } from "../../engine/ops/config.ts";
import type { NewChannel } from "./channels.ts";
import { type ChannelKind, KINDS } from "./kinds/all.ts";
import { policySchema } from "./policy.ts";

type Notify = Pick<Config["notify"], "telegram" | "discordUrl" | "slackUrl" | "emailTo" | "smtp">;

/**
 * Half of what a channel needs makes none: earlier systems took a bot's token alone.
 * @throws ConfigError for values that the kind does not take
 */
export function configuredChannels({ telegram, discordUrl, slackUrl, emailTo, smtp }: Notify): NewChannel[] {
  const given: [ChannelKind, variable: string, settings: Record<string, unknown>][] = [];
  if (telegram.token !== undefined && telegram.chat !== undefined)
    given.push(["telegram", "TELEGRAM_BOT_TOKEN", { token: telegram.token, chat_id: telegram.chat }]);
  if (discordUrl !== undefined) given.push(["discord", "DISCORD_WEBHOOK_URL", { url: discordUrl }]);
  if (slackUrl !== undefined) given.push(["slack", "SLACK_WEBHOOK_URL", { url: slackUrl }]);
  if (emailTo !== undefined && smtp) given.push(["email", "WEIR_NOTIFY_EMAIL_TO", { to: emailTo }]);

  const problems: ConfigProblem[] = [];
  const channels = given.flatMap(([kind, variable, settings]) => {
    const parsed = KINDS[kind].settings.safeParse(settings);
    if (parsed.success)
      return [{ name: kind, kind, settings: parsed.data as NewChannel["settings"], policy: policySchema.parse({}), enabled: true }]; // biome-ignore format: one line
    for (const { path, message } of parsed.error.issues)
      problems.push({ variable, problem: `its channel's ${path.join(".")} is wrong: ${message}` });
    return [];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return channels;
}
