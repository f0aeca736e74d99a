import type { Command } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";
import type { ListAnswer } from "./answers.ts";

export function listsCommand(command: Command): void {
  command
    .addHelpText("after", "\nExamples:\n  weir list ls\n  weir list ls --json | jq -r .name")
    .action(async (options: ApiOptions) => {
      const lists = expectSuccess<ListAnswer[]>("list the lists", await apiOf(options).ask("/api/v1/lists"));
      const rows = lists.map(({ name, kind, size, version, updated_at, rules }) => ({
        ...{ name, kind, size, version, updated_at },
        rules: rules.length,
      }));
      printRows(rows, { json: options.json ?? false });
    });
}
