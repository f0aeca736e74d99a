import { join } from "node:path";
import type { Command } from "commander";
import { openCatalogue } from "../../rules/catalogue.ts";
import { loadConfiguration } from "../configuration.ts";
import { printRows } from "../terminal.ts";

export function listCommand(command: Command): void {
  command
    .option("--json", "a JSON line a rule")
    .addHelpText("after", "\nExample:\n  weir rule list --json | jq -r .name")
    .action(async ({ json = false }: { json?: boolean }) => {
      const catalogue = await openCatalogue(join(loadConfiguration().config.data, "rules"));
      printRows(
        catalogue.list().map(({ name, version, state, size, manifest }) => ({
          name,
          version,
          state,
          size,
          description: manifest.description,
        })),
        { json },
      );
    });
}
