/** `weir list …`: named lists of a running Weir, over its API; one file a command in list/. */
import type { Command } from "commander";
import { editListCommand } from "./list/edit.ts";
import { listsCommand } from "./list/ls.ts";
import { putListCommand } from "./list/put.ts";
import { removeListCommand } from "./list/rm.ts";
import { showListCommand } from "./list/show.ts";

const COMMANDS: Record<string, { description: string; define(command: Command): void }> = {
  ls: { description: "the lists, their kinds and sizes", define: listsCommand },
  show: { description: "one list and its entries, or whether it has one", define: showListCommand },
  put: { description: "make a list of a file, or replace all that is in it", define: putListCommand },
  add: { description: "add entries", define: (command) => editListCommand(command, "add") },
  remove: { description: "remove entries", define: (command) => editListCommand(command, "remove") },
  rm: { description: "remove a whole list that no rule needs", define: removeListCommand },
};

export function listCommand(list: Command): void {
  for (const [name, { description, define }] of Object.entries(COMMANDS))
    define(list
      .command(name)
      .description(description)
      .option("--api <url>", "of a running Weir (default: where this configuration serves it)")
      .option("--token <token>", "default: WEIR_TOKEN, which other users of this machine cannot see")
      .option("--json", "JSON, also on a terminal"));
}
