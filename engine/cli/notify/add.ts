import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { messageOf, UsageError, UserError } from "../../ops/errors.ts";
import { SEVERITIES } from "../../sandbox/manifest.ts";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";
import { CHANNELS, type ChannelAnswer } from "./answers.ts";
import { shownChannel } from "./channels.ts";

interface Options extends ApiOptions {
  readonly kind: string;
  readonly settings?: string;
  readonly set?: readonly string[];
  readonly minSeverity?: string;
  readonly rule?: readonly string[];
  readonly chain?: readonly string[];
}

/** Settings that are lists. */
const LISTS = new Set(["to", "secrets"]);

export function addChannelCommand(command: Command): void {
  command
    .argument("<name>", "1 to 64 of a-z 0-9 _ -")
    .addOption(new Option("--kind <kind>", "where").choices(["slack", "discord", "telegram", "email", "webhook"]).makeOptionMandatory()) // biome-ignore format: one line
    .option("--set <name=value...>", "a setting: url (slack, discord, webhook), token and chat_id (telegram), to (email), secrets (webhook); other users of this machine may see it")
    .option("--settings <file>", "JSON with the settings, or - for stdin: for what nobody is to see") // biome-ignore format: one line
    .addOption(new Option("--min-severity <severity>", "of what it hears at least").choices(SEVERITIES))
    .option("--rule <name...>", "rules that it hears of, * at the end for any (default: all)")
    .option("--chain <id...>", "chains that it hears of (default: all)")
    .addHelpText(
      "after",
      `
Examples:
  weir notify add ops --kind slack --set url=https://hooks.slack.com/services/… --min-severity high
  weir notify add mail --kind email --set to=ops@example.com,night@example.com --rule 'whale-*'
  pass show weir/hook | weir notify add hook --kind webhook --settings -      # {"url": "https://…", "secrets": ["whsec_…"]}`,
    )
    .action(async (name: string, { kind, minSeverity, rule, chain, ...options }: Options) => {
      const policy = {
        ...(minSeverity !== undefined && { min_severity: minSeverity }),
        ...(rule && { rules: rule }),
        ...(chain && { chains: chain }),
      };
      const body = JSON.stringify({ name, kind, settings: await settingsOf(options), policy });
      const headers = { "content-type": "application/json" };
      const answer = await apiOf(options).ask(CHANNELS, { method: "POST", headers, body });
      const added = expectSuccess<ChannelAnswer>(`add the channel "${name}"`, answer);
      printRows([shownChannel(added)], { json: options.json ?? false });
    });
}

async function settingsOf({ settings, set = [] }: Pick<Options, "settings" | "set">): Promise<Record<string, unknown>> {
  const given = settings === undefined ? {} : await readSettings(settings);
  for (const pair of set) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`Cannot use --set "${pair}": expected name=value, as in url=https://…`);
    const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
    given[key] = LISTS.has(key) ? value.split(",") : value;
  }
  return given;
}

async function readSettings(file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(file === "-" ? "/dev/stdin" : file, "utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no JSON object");
    return value as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`Cannot read the settings in "${file}": ${messageOf(error)}, expected a JSON object`);
  }
}
