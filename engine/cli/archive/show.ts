import type { Command } from "commander";
import { printRows } from "../terminal.ts";
import { chosenSegments, showTime, withArchive } from "./openArchive.ts";

export function showCommand(command: Command): void {
  command
    .argument("<segment>", "its id")
    .addHelpText("after", "\nExample:\n  weir archive show 20240601T120000Z-1a2b3c4d")
    .action((id: string, { json = false }: { json?: boolean }) =>
      withArchive(async (open) => {
        const [segment] = await chosenSegments(open, [id], {});
        if (json || !process.stdout.isTTY) return void process.stdout.write(`${JSON.stringify(segment)}\n`);
        for (const { partition, from, to } of segment!.ranges)
          process.stdout.write(`${segment!.source} partition ${partition}: offsets ${from} to ${to - 1}\n`);
        printRows(
          Object.entries(segment!.tables).map(([table, { file, rows, bytes, first, last, sha256 }]) => ({
            ...{ table, file, rows, bytes },
            from: showTime(BigInt(first)),
            to: showTime(BigInt(last)),
            sha256: `${sha256.slice(0, 16)}…`,
          })),
          { json },
        );
      }),
    );
}
