import type { Command } from "commander";
import { configMarkdown, envExample, showConfig } from "../ops/configText.ts";
import { loadConfiguration } from "./configuration.ts";
import { narrowTable, printRows } from "./terminal.ts";

export function configCommand(config: Command): void {
  config
    .command("show")
    .description("each variable with its value; secrets are masked")
    .option("--origin", "also where each value comes from")
    .option("--json", "a JSON line a variable")
    .addHelpText(
      "after",
      "\nExamples:\n  weir config show --origin\n  weir config show --json | jq -r 'select(.value != \"\") | .name'",
    )
    .action(({ origin = false, json = false }: { origin?: boolean; json?: boolean }) => {
      const rows = showConfig(loadConfiguration()).map(({ name, value, origin: from, meaning }) => ({
        name,
        value,
        ...(origin ? { origin: from } : {}),
        meaning,
      }));
      if (process.stdout.isTTY && !json) process.stdout.write(narrowTable(rows, process.stdout.columns));
      else printRows(rows, { json });
    });
  config
    .command("example")
    .description("the file .env.example")
    .action(() => void process.stdout.write(envExample()));
  config
    .command("docs")
    .description("the table of all variables, as Markdown")
    .action(() => void process.stdout.write(configMarkdown()));
}
