import type { Command } from "commander";
import { printRows } from "../terminal.ts";
import { expectSuccess, openApi, type RuleAnswer } from "./api.ts";
import { type ListedRule, listRules } from "./namedRule.ts";

export function listCommand(command: Command): void {
  command
    .option(
      "--api <url>",
      "of a running Weir (default: the rules of this configuration, read from where they are kept)",
    )
    .option("--token <token>", "default: WEIR_TOKEN")
    .option("--json", "a JSON line a rule")
    .addHelpText(
      "after",
      "\nExamples:\n  weir rule list --json | jq -r .name\n  weir rule list --api http://127.0.0.1:8000",
    )
    .action(async ({ api, token, json = false }: { api?: string; token?: string; json?: boolean }) => {
      const rules = api === undefined ? await listRules() : await rulesOf(api, token);
      printRows(rules.map((rule) => ({ ...rule })), { json }); // biome-ignore format: one expression
    });
}

async function rulesOf(url: string, token: string | undefined): Promise<ListedRule[]> {
  const rules = expectSuccess<RuleAnswer[]>("list the rules", await openApi({ url, token }).ask("/api/v1/rules"));
  return rules.map(({ name, version, state, size, manifest }) => ({
    name,
    version,
    state,
    size,
    description: manifest.description ?? "",
  }));
}
