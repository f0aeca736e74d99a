/** `weir list …`: named lists of a running Weir, over its API; one file a command in list/. */
import type { Command } from "commander";
import { type ApiCommands, defineApiCommands } from "./apiCommands.ts";
import { editListCommand } from "./list/edit.ts";
import { listsCommand } from "./list/ls.ts";
import { putListCommand } from "./list/put.ts";
import { removeListCommand } from "./list/rm.ts";
import { showListCommand } from "./list/show.ts";

const COMMANDS: ApiCommands = {
  ls: { description: "the lists, their kinds and sizes", define: listsCommand },
  show: { description: "one list and its entries, or whether it has one", define: showListCommand },
  put: { description: "make a list of a file, or replace all that is in it", define: putListCommand },
  add: { description: "add entries", define: (command) => editListCommand(command, "add") },
  remove: { description: "remove entries", define: (command) => editListCommand(command, "remove") },
  rm: { description: "remove a whole list that no rule needs", define: removeListCommand },
};

export const listCommand = (list: Command): void => defineApiCommands(list, COMMANDS);
