/** `weir label …`: what addresses are called, of a running Weir, over its API; one file a command in label/. */
import type { Command } from "commander";
import { importLabelsCommand } from "./label/import.ts";
import { listLabelsCommand } from "./label/list.ts";
import { removeLabelCommand } from "./label/remove.ts";
import { setLabelCommand } from "./label/set.ts";

const COMMANDS: Record<string, { description: string; define(command: Command): void }> = {
  list: { description: "labels: bundled ones, then your own", define: listLabelsCommand },
  set: { description: "say what an address is called", define: setLabelCommand },
  remove: { description: "forget what you have called an address", define: removeLabelCommand },
  import: { description: "label all addresses of a file, or none", define: importLabelsCommand },
};

export function labelCommand(label: Command): void {
  for (const [name, { description, define }] of Object.entries(COMMANDS))
    define(label
      .command(name)
      .description(description)
      .option("--api <url>", "of a running Weir (default: where this configuration serves it)")
      .option("--token <token>", "default: WEIR_TOKEN, which other users of this machine cannot see")
      .option("--json", "JSON, also on a terminal"));
}
