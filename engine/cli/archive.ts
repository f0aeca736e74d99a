/** `weir archive …`: the time machine; one file a command in archive/. */
import type { Command } from "commander";
import { cleanCommand } from "./archive/clean.ts";
import { extractCommand } from "./archive/extract.ts";
import { listCommand } from "./archive/list.ts";
import { queryCommand } from "./archive/query.ts";
import { restoreCommand } from "./archive/restore.ts";
import { runCommand } from "./archive/run.ts";
import { showCommand } from "./archive/show.ts";
import { verifyCommand } from "./archive/verify.ts";

const COMMANDS: Readonly<Record<string, { description: string; define(command: Command): void }>> = {
  run: {
    description: "archive what was stored since the last run, and remove what is older than its retention",
    define: runCommand,
  },
  list: { description: "the segments of the archive", define: listCommand },
  show: { description: "one segment: its files, their rows and checksums", define: showCommand },
  verify: { description: "read files again and compare them with what their manifests say", define: verifyCommand },
  query: { description: "rows of a table as the archive has them, without restoring them", define: queryCommand },
  extract: {
    description: "write a period as a recording, to put it through the engine again",
    define: extractCommand,
  },
  restore: { description: "bring segments back into the store", define: restoreCommand },
  clean: {
    description: "remove from the store what is older than its retention, if the archive has it",
    define: cleanCommand,
  },
};

export function archiveCommand(archive: Command): void {
  for (const [name, { description, define }] of Object.entries(COMMANDS))
    define(archive.command(name).description(description).option("--json", "JSON lines, also on a terminal"));
}
