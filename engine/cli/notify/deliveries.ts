import { type Command, InvalidArgumentError, Option } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";
import { DELIVERIES, type DeliveryAnswer, STATES } from "./answers.ts";

/** A delivery in one row of a table. */
export const shownDelivery = ({ id, channel, kind, state, attempts, reason, ...rest }: DeliveryAnswer) => ({
  ...{ id, channel, kind, state, attempts, reason, subject: rest.subject, correlation_id: rest.correlation_id },
  ...{ due_at: rest.due_at, sent_at: rest.sent_at, answer: rest.answer },
});

interface Options extends ApiOptions {
  readonly state?: string;
  readonly channel?: string;
  readonly alert?: string;
  readonly limit: number;
}

export function deliveriesCommand(command: Command): void {
  command
    .addOption(new Option("--state <state>", "only these").choices(STATES))
    .option("--channel <name>", "of this channel")
    .option("--alert <id>", "of this alert")
    .option("--limit <number>", "at most", limitOf, 100)
    .addHelpText(
      "after",
      "\nExamples:\n  weir notify deliveries --state dead\n  weir notify deliveries --alert 3f… --json | jq -r .correlation_id",
    )
    .action(async ({ state, channel, alert, limit, ...options }: Options) => {
      const query = new URLSearchParams({ limit: String(limit) });
      for (const [name, value] of Object.entries({ state, channel, alert })) if (value) query.set(name, value);
      const rows = expectSuccess<DeliveryAnswer[]>("read the deliveries", await apiOf(options).ask(`${DELIVERIES}?${query}`)); // biome-ignore format: one line
      printRows(rows.map(shownDelivery), { json: options.json ?? false });
    });
}

export function redeliverCommand(command: Command): void {
  command
    .argument("<id...>", "as `weir notify deliveries` shows them: delivered ones, or such that were given up", ids, [])
    .addHelpText("after", "\nExample:\n  weir notify redeliver 41 42")
    .action(async (all: number[], options: ApiOptions) => {
      const api = apiOf(options);
      for (const id of all) {
        const answer = await api.ask(`${DELIVERIES}/${id}/redeliver`, { method: "POST" });
        printRows([{ ...expectSuccess<{ id: number }>(`send ${id} again`, answer), state: "waiting" }], { json: options.json ?? false }); // biome-ignore format: one line
      }
    });
}

function limitOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > 1_000) throw new InvalidArgumentError("Expected 1 to 1000.");
  return Number(text);
}

function ids(text: string, before: readonly number[]): number[] {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected the number of a delivery.");
  return [...before, Number(text)];
}
