import type { Command } from "commander";
import { type ApiOptions, apiOf, asJson } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { type ListAnswer, pathOf } from "./answers.ts";

export function removeListCommand(command: Command): void {
  command
    .argument("<name>", "of the list")
    .addHelpText(
      "after",
      "\nA list stays while rules that run name it: they are told.\n\nExit codes: 0 removed, 1 refused, 4 nobody answers\n\nExample:\n  weir list rm sanctioned",
    )
    .action(async (name: string, options: ApiOptions) => {
      const answer = await apiOf(options).ask(pathOf(name), { method: "DELETE" });
      const gone = expectSuccess<ListAnswer>(`remove the list "${name}"`, answer);
      process.stdout.write(asJson(options) ? `${JSON.stringify(gone)}\n` : `${name} is gone\n`);
    });
}
