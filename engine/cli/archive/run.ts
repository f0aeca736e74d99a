import type { Command } from "commander";
import { storedPositions, unknownSources } from "../../archive/positions.ts";
import { runArchive } from "../../archive/run.ts";
import { ConfigError } from "../../ops/config.ts";
import { interrupted } from "../interrupt.ts";
import { count, printRows } from "../terminal.ts";
import { segmentRow, withProgress, withStores } from "./openArchive.ts";

export function runCommand(command: Command): void {
  command
    .addHelpText(
      "after",
      `
What is stored and will not change any more goes into WEIR_ARCHIVE, each row once: as files that are read back and compared before they count.
\`weir start\` and \`weir api\` do the same every ARCHIVE_INTERVAL_HOURS.

Examples:
  WEIR_ARCHIVE=/backup/weir weir archive run
  WEIR_ARCHIVE=/backup/weir WEIR_RETENTION_DAYS=transactions=30,*=365 weir archive run --json | jq .segment`,
    )
    .action(({ json = false }: { json?: boolean }) =>
      withStores(async ({ config, store, control, failpoint }) => {
        const signal = interrupted();
        const run = await withProgress("archiving", "tx", (onProgress) =>
          runArchive({ config, store, control, signal, failpoint, onProgress }),
        );
        if (run === undefined)
          throw new ConfigError([
            {
              variable: "WEIR_ARCHIVE",
              problem: "neither it nor WEIR_RETENTION_DAYS is set",
              expected: "at least one of them",
            },
          ]);
        printRows([...run.segments, ...run.late].map(segmentRow), { json });
        for (const [table, rows] of Object.entries(run.removed))
          process.stderr.write(`removed ${count(rows, "row")} of ${table}\n`);
        for (const source of await unknownSources(store, await storedPositions(config)))
          process.stderr.write(`left alone: ${source}, of which no ledger is here that says how far it is stored\n`);
      }),
    );
}
