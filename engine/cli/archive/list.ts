import type { Command } from "commander";
import { restoredSegments } from "../../../clickhouse/archive/clean.ts";
import { printRows } from "../terminal.ts";
import { type PeriodOptions, periodOf, segmentRow, withArchive, withPeriod } from "./openArchive.ts";

export function listCommand(command: Command): void {
  withPeriod(command)
    .addHelpText(
      "after",
      "\nExamples:\n  weir archive list\n  weir archive list --chain 1 --from 2024-06-01 --to 2024-06-02 --json",
    )
    .action(({ json = false, ...period }: PeriodOptions & { json?: boolean }) =>
      withArchive(async ({ store, reader }) => {
        const segments = await reader.segments(periodOf(period));
        const restored = await restoredSegments(store);
        printRows(
          segments.map((segment) => ({ ...segmentRow(segment), restored: restored.has(segment.id) })),
          { json },
        );
      }),
    );
}
