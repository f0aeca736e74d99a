import type { Command } from "commander";
import { type ApiOptions, apiOf } from "../apiCommands.ts";
import { expectSuccess } from "../rule/api.ts";
import { type ListChangeAnswer, pathOf, printChange } from "./answers.ts";

export function editListCommand(command: Command, member: "add" | "remove"): void {
  command
    .argument("<name>", "of the list")
    .argument("<entries...>", "0x and hexadecimal digits")
    .addHelpText(
      "after",
      `\nExit codes: 0 taken, 1 refused, 4 nobody answers\n\nExample:\n  weir list ${member} sanctioned 0x7a250d5630b4cf539739df2c5dacb4c659f2488d`,
    )
    .action(async (name: string, entries: string[], options: ApiOptions) => {
      const answer = await apiOf(options).ask(pathOf(name), {
        method: "PATCH",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ [member]: entries }),
      });
      printChange(expectSuccess<ListChangeAnswer>(`change the list "${name}"`, answer), options);
    });
}
