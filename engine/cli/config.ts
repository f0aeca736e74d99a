import type { Command } from "commander";
import { configMarkdown, envExample, showConfig } from "../ops/configText.ts";
import { loadConfiguration } from "./configuration.ts";
import { printRows } from "./terminal.ts";

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
      const rows = showConfig(loadConfiguration());
      printRows(
        rows.map(({ name, value, origin: from, meaning }) => ({
          name,
          value,
          ...(origin ? { origin: from } : {}),
          meaning,
        })),
        { json },
      );
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
