import type { Command } from "commander";
import { UserError } from "../../ops/errors.ts";
import { allValues, type Parameters, type ParameterValues, valueForm } from "../../sandbox/parameters.ts";
import { table } from "../terminal.ts";
import { expectSuccess, openApi, type ParameterAnswer } from "./api.ts";
import { type ShownRule, type ShownVersion, showRule } from "./namedRule.ts";

/** Versions that a person is shown; --json has all. */
const SHOWN = 10;

export function showCommand(command: Command): void {
  command
    .argument("<name>", "of the rule")
    .option("--api <url>", "of a running Weir (default: this configuration's rules, read from where they are kept)")
    .option("--token <token>", "default: WEIR_TOKEN")
    .option("--json", "one line of JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  weir rule show whale-transfer\n  weir rule show whale-transfer --json | jq .parameters",
    )
    .action(async (name: string, { api, token, json = false }: { api?: string; token?: string; json?: boolean }) => {
      const { rule, versions } = api === undefined ? await showRule(name) : await askFor(name, api, token);
      const parameters = parametersOf(rule.manifest.parameters, rule.parameters);
      const { state, reason, kind, version, manifest } = rule;
      if (json || !process.stdout.isTTY)
        return void process.stdout.write(
          `${JSON.stringify({ name, state, reason, kind, version, description: manifest.description, parameters, versions })}\n`,
        );
      const why = reason === null ? "" : `: ${reason}`;
      process.stdout.write(`${name}  version ${version}  ${state}${why}\n${manifest.description}\n`);
      process.stdout.write(parameters.length > 0 ? `\n${parametersTable(parameters)}` : "\nno parameters\n");
      const rows = versions.slice(0, SHOWN).map(({ uploaded_at, uploaded_by, sha256, ...each }) => ({
        ...{ version: each.version, runs: each.runs === "shadow" ? "on trial" : each.runs },
        ...{ since: uploaded_at.slice(0, 16), by: uploaded_by, content: sha256.slice(0, 8) },
        ...{ values: Object.entries(each.parameters).map(([name, value]) => `${name}=${value}`).join(" ") },
      })); // biome-ignore format: one row
      const more = versions.length > SHOWN ? `… and ${versions.length - SHOWN} older\n` : "";
      process.stdout.write(`\n${table(rows)}${more}`);
    });
}

/** For a person. */
export const parametersTable = (parameters: readonly ParameterAnswer[]): string =>
  table(
    parameters.map(({ name, type, value, default: standard, description, ...range }) => ({
      ...{ parameter: name, value, default: standard === value ? "" : standard },
      expected: type === null ? "fixed: build it anew to change it" : valueForm({ type, default: standard, ...range }),
      description,
    })),
  );

const parametersOf = (declared: Parameters, given: ParameterValues): ParameterAnswer[] => {
  const values = allValues(declared, given);
  return Object.entries(declared)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { type, ...declaration }]) => ({ name, type: type ?? null, value: values[name]!, ...declaration }));
};

async function askFor(name: string, url: string, token: string | undefined) {
  const api = openApi({ url, token });
  const path = `/api/v1/rules/${encodeURIComponent(name)}`;
  const rule = expectSuccess<ShownRule>(`show "${name}"`, await api.ask(path));
  if (rule.parameters === undefined)
    throw new UserError(`Cannot show "${name}": "${api.url}" is a Weir whose rules have no parameters`);
  const versions = expectSuccess<ShownVersion[]>(`show "${name}"`, await api.ask(`${path}/versions`));
  return {
    rule,
    versions: versions.map(({ version, runs, sha256, parameters, uploaded_at, uploaded_by }) => ({
      ...{ version, runs, sha256, parameters, uploaded_at, uploaded_by },
    })),
  };
}
