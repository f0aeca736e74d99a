/** Commands that ask a running Weir over its API: what they all take, whom they ask, and when they answer in JSON. */
import type { Command } from "commander";
import { openApi } from "./rule/api.ts";

export interface ApiOptions {
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
}

export type ApiCommands = Readonly<Record<string, { description: string; define(command: Command): void }>>;

export function defineApiCommands(parent: Command, commands: ApiCommands): void {
  for (const [name, { description, define }] of Object.entries(commands))
    define(parent
      .command(name)
      .description(description)
      .option("--api <url>", "of a running Weir (default: where this configuration serves it)")
      .option("--token <token>", "default: WEIR_TOKEN, which other users of this machine cannot see")
      .option("--json", "JSON, also on a terminal"));
}

export const apiOf = ({ api, token }: ApiOptions) => openApi({ url: api, token });
export const asJson = ({ json }: ApiOptions): boolean => json === true || !process.stdout.isTTY;
