import { type Command, InvalidArgumentError } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { printRows } from "../terminal.ts";

interface Options extends ApiOptions {
  readonly rules?: number;
  readonly fuel?: number;
}

interface QuotaAnswer {
  readonly max_rules: number | null;
  readonly fuel_per_second: number | null;
}

export function quotaCommand(command: Command): void {
  command
    .argument("<owner>", "as rules say it")
    .option("--rules <number>", "that run at most (default: WEIR_OWNER_MAX_RULES)", wholeNumber)
    .option("--fuel <number>", "for a second of the stream at most (default: WEIR_OWNER_FUEL_PER_SECOND)", wholeNumber)
    .addHelpText(
      "after",
      "\nWhat is left out is as configured again. Rules that run go on: above --rules no further one starts.\n\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExamples:\n  weir owner quota alice --rules 500\n  weir owner quota alice",
    )
    .action(async (owner: string, options: Options) => {
      const answer = await apiOf(options).ask(`/api/v1/owners/${encodeURIComponent(owner)}/quota`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ max_rules: options.rules ?? null, fuel_per_second: options.fuel ?? null }),
      });
      const quota = expectSuccess<QuotaAnswer>(`set the quota of "${owner}"`, answer);
      printRows([{ owner, ...quota }], { json: options.json ?? false });
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}
