import type { Command } from "commander";
import { printRows } from "../terminal.ts";
import { listRules } from "./namedRule.ts";

export function listCommand(command: Command): void {
  command
    .option("--json", "a JSON line a rule")
    .addHelpText("after", "\nExample:\n  weir rule list --json | jq -r .name")
    .action(async ({ json = false }: { json?: boolean }) => {
      printRows([...(await listRules())].map((rule) => ({ ...rule })), { json }); // biome-ignore format: one expression
    });
}
