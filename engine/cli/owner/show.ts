import type { Command } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";

/** An owner in the API's answers, as far as it is shown here. */
interface OwnerAnswer {
  readonly owner: string;
  readonly rules: number;
  readonly max_rules: number;
  readonly throttled: number;
  /** null: no bound */
  readonly fuel_per_second: number | null;
  readonly fuel: number;
  readonly matches: number;
}

export function ownersCommand(command: Command): void {
  command
    .addHelpText("after", "\nExamples:\n  weir owner list\n  weir owner list --json | jq -r 'select(.throttled > 0) | .owner'")
    .action(async (options: ApiOptions) => {
      const owners = expectSuccess<OwnerAnswer[]>("list the owners", await apiOf(options).ask("/api/v1/owners"));
      const rows = owners.map(({ owner, rules, max_rules, throttled, fuel_per_second, fuel, matches }) => ({
        ...{ owner, rules, max_rules, throttled, fuel_per_second, fuel, matches },
      }));
      printRows(rows, { json: options.json ?? false });
    });
} // biome-ignore format: one command
