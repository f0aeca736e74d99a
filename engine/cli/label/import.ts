import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { UserError } from "../../ops/errors.ts";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { count } from "../terminal.ts";

export function importLabelsCommand(command: Command): void {
  command
    .argument(
      "<file>",
      ".csv with a header of chain_id,address,name,symbol,decimals, or .json: an array of such objects",
    )
    .addHelpText(
      "after",
      "\nAddress and name are needed; the chain is 1 where it is not said. At most 10,000 labels and 2 MiB at a time.\n\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExample:\n  weir label import tokens.csv",
    )
    .action(async (file: string, options: ApiOptions) => {
      const body = await readFile(file).catch((error: Error) => {
        throw new UserError(`Cannot read "${file}": ${error.message}`);
      });
      const answer = await apiOf(options).ask("/api/v1/labels", {
        method: "POST",
        headers: { "content-type": file.toLowerCase().endsWith(".json") ? "application/json" : "text/csv" },
        body,
      });
      const made = expectSuccess<{ added: number; changed: number }>(`import "${file}"`, answer);
      process.stdout.write(
        asJson(options)
          ? `${JSON.stringify(made)}\n`
          : `${count(made.added, "label")} added, ${made.changed} that were there said again\n`,
      );
    });
}
