import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../ops/errors.ts";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { type Api, expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";
import { CHANNELS, type ChannelAnswer, DELIVERIES, type DeliveryAnswer } from "./answers.ts";
import { shownDelivery } from "./deliveries.ts";

/** A channel in one row of a table. */
export const shownChannel = ({ name, kind, policy, owner, enabled, reason }: ChannelAnswer) => ({
  ...{ name, kind, min_severity: policy.min_severity },
  rules: policy.rules.join(" ") || "all",
  chains: policy.chains.join(" ") || "all",
  ...{ owner, enabled, reason },
});

export function channelsCommand(command: Command): void {
  command
    .addHelpText(
      "after",
      "\nThose of (configuration) are made by TELEGRAM_BOT_TOKEN, DISCORD_WEBHOOK_URL, SLACK_WEBHOOK_URL and SMTP_HOST.\n\nExamples:\n  weir notify list\n  weir notify list --json | jq -r 'select(.enabled | not) | .name'",
    )
    .action(async (options: ApiOptions) => {
      const channels = expectSuccess<ChannelAnswer[]>("list the channels", await apiOf(options).ask(CHANNELS));
      printRows(channels.map(shownChannel), { json: options.json ?? false });
    });
}

export function removeChannelCommand(command: Command): void {
  command
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  weir notify remove ops-slack")
    .action(async (name: string, options: ApiOptions) => {
      const gone = await apiOf(options).ask(`${CHANNELS}/${encodeURIComponent(name)}`, { method: "DELETE" });
      printRows([shownChannel(expectSuccess(`remove the channel "${name}"`, gone))], { json: options.json ?? false });
    });
}

const EVERY_MS = 500;

export function testChannelCommand(command: Command): void {
  command
    .argument("<name>")
    .option("--wait <seconds>", "how long its service may take", wholeSeconds, 30)
    .addHelpText("after", "\nExit code 1 when it was not delivered.\n\nExample:\n  weir notify test ops-slack")
    .action(async (name: string, options: ApiOptions & { readonly wait: number }) => {
      const api = apiOf(options);
      const path = `${CHANNELS}/${encodeURIComponent(name)}/test`;
      const { message_ids } = expectSuccess<{ message_ids: string[] }>(
        `test the channel "${name}"`,
        await api.ask(path, { method: "POST" }),
      );
      const settled = await settledOf(api, name, message_ids, Date.now() + options.wait * 1_000);
      printRows(settled.map(shownDelivery), { json: options.json ?? false });
      const failed = settled.find(({ state }) => state !== "delivered");
      if (failed)
        throw new UserError(`Cannot tell the channel "${name}": the message is ${failed.state}, ${failed.reason ?? "no answer yet"}`, {
          next: `npx weir notify deliveries --channel ${name}`,
        }); // biome-ignore format: one statement
    });
}

/** What became of these messages: once each was tried, or the time is over. */
async function settledOf(
  api: Api,
  channel: string,
  ids: readonly string[],
  deadline: number,
): Promise<DeliveryAnswer[]> {
  for (;;) {
    const query = new URLSearchParams({ channel, limit: "1000" });
    const all = expectSuccess<DeliveryAnswer[]>("read the deliveries", await api.ask(`${DELIVERIES}?${query}`));
    const ours = all.filter(({ message_id }) => message_id !== null && ids.includes(message_id));
    const isTried = ({ state, reason }: DeliveryAnswer): boolean =>
      state === "delivered" || state === "dead" || (state === "waiting" && reason !== null);
    if (ours.every(isTried) || Date.now() > deadline) return ours;
    await sleep(EVERY_MS);
  }
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("Expected seconds, 0 to 999.");
  return Number(text);
}
