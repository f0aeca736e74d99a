import type { Command } from "commander";
import { UsageError, UserError } from "../../ops/errors.ts";
import { expectSuccess, openApi, type ParametersAnswer } from "./api.ts";
import { parametersTable } from "./show.ts";
import { collectValue, type GivenValues } from "./values.ts";

interface Options {
  readonly shadow?: boolean;
  readonly default?: readonly string[];
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
}

export function setCommand(command: Command): void {
  command
    .argument("<name>", "of the rule")
    .argument("[values...]", "name=value; parameters that are not named keep their values")
    .option("--shadow", "on trial, beside the live version")
    .option("--default <name...>", "parameters that get their defaults again")
    .option("--api <url>", "of a running Weir (default: where this configuration serves it)")
    .option("--token <token>", "default: WEIR_TOKEN, which other users of this machine cannot see")
    .option("--json", "one line of JSON")
    .addHelpText(
      "after",
      `
The rule stays as it is: its values are a version of their own, tried, promoted and rolled back like any.
Exit codes: 0 set, 1 a value does not fit, 4 nobody answers

Examples:
  weir rule show whale-transfer
  weir rule set whale-transfer 'threshold=5 ether'
  weir rule set whale-transfer 'threshold=5 ether' --shadow`,
    )
    .action(async (name: string, texts: readonly string[], options: Options) => {
      const values = valuesOf(texts, options.default ?? []);
      const api = openApi({ url: options.api, token: options.token });
      const answer = await api.ask(
        `/api/v1/rules/${encodeURIComponent(name)}/parameters${options.shadow ? "?state=shadow" : ""}`,
        { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify(values) },
      );
      const { errors, detail } = answer.body as { errors?: unknown; detail?: string };
      if (answer.status === 400 && errors) throw new UserError(detail!, { next: `npx weir rule show ${name}` });
      const { rule, version, runs, parameters } = expectSuccess<ParametersAnswer>(`set "${name}"`, answer);
      if (options.json || !process.stdout.isTTY)
        return void process.stdout.write(`${JSON.stringify({ rule, version, runs, parameters })}\n`);
      const state = runs === "shadow" ? "on trial" : (runs ?? "does not run");
      process.stdout.write(`${rule}  version ${version}  ${state}  at ${api.url}\n\n${parametersTable(parameters)}`);
    });
}

function valuesOf(texts: readonly string[], defaults: readonly string[]): Record<string, string | null> {
  let given: GivenValues = {};
  for (const text of texts) {
    try {
      given = collectValue(text, given);
    } catch (error) {
      throw new UsageError(`Cannot take "${text}": ${(error as Error).message}`);
    }
  }
  const twice = defaults.find((name) => Object.hasOwn(given, name));
  if (twice !== undefined) throw new UsageError(`Cannot set "${twice}": it is to have a value and its default`);
  if (texts.length + defaults.length === 0)
    throw new UsageError("Cannot set nothing: expected name=value, or --default name");
  return { ...given, ...Object.fromEntries(defaults.map((name) => [name, null])) };
}
