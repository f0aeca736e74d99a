/** `weir label …`: what addresses are called, of a running Weir, over its API; one file a command in label/. */
import type { Command } from "commander";
import { type ApiCommands, defineApiCommands } from "./apiCommands.ts";
import { importLabelsCommand } from "./label/import.ts";
import { listLabelsCommand } from "./label/list.ts";
import { removeLabelCommand } from "./label/remove.ts";
import { setLabelCommand } from "./label/set.ts";

const COMMANDS: ApiCommands = {
  list: { description: "labels: bundled ones, then your own", define: listLabelsCommand },
  set: { description: "say what an address is called", define: setLabelCommand },
  remove: { description: "forget what you have called an address", define: removeLabelCommand },
  import: { description: "label all addresses of a file, or none", define: importLabelsCommand },
};

export const labelCommand = (label: Command): void => defineApiCommands(label, COMMANDS);
