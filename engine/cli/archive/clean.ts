import type { Command } from "commander";
import { cleanStore } from "../../../clickhouse/archive/clean.ts";
import { ARCHIVED_TABLES } from "../../../clickhouse/archive/columns.ts";
import { storedPositions } from "../../archive/positions.ts";
import { ARCHIVE_JOB } from "../../archive/run.ts";
import { configuredArchive, retentionBefore } from "../../archive/settings.ts";
import { runJob } from "../../control/jobs.ts";
import { ConfigError } from "../../ops/config.ts";
import { closeHours } from "../../statistics/closeHours.ts";
import { interrupted } from "../interrupt.ts";
import { count, printRows } from "../terminal.ts";
import { moment, withProgress, withStores } from "./openArchive.ts";

export function cleanCommand(command: Command): void {
  command
    .option("--before <time>", "of all tables, whatever WEIR_RETENTION_DAYS says", moment)
    .option("--dry-run", "count what would be removed, and remove nothing")
    .addHelpText(
      "after",
      `
With WEIR_ARCHIVE a row is removed when the archive's files have this very row; what they lack is archived first. Without, old rows are gone.
Statistics keep what they have counted.

Examples:
  weir archive clean --dry-run
  weir archive clean --before 2024-06-01`,
    )
    .action(({ before, dryRun = false, json = false }: { before?: Date; dryRun?: boolean; json?: boolean }) =>
      withStores(async ({ config, store, control, failpoint }) => {
        const now = (): Date => new Date();
        const limits = before
          ? new Map(ARCHIVED_TABLES.map((table) => [table, before]))
          : retentionBefore(config, now());
        if (limits.size === 0)
          throw new ConfigError([
            {
              variable: "WEIR_RETENTION_DAYS",
              problem: "it is not set",
              expected: "days by table, or the option --before",
            },
          ]);
        const signal = interrupted();
        const archive = await configuredArchive(config, store);
        const ran = await withProgress("cleaning", "segments", (onProgress) =>
          runJob(control, ARCHIVE_JOB, async (lost) => {
            await closeHours(store, failpoint); // of an hour that is closed rows may go
            return cleanStore({
              ...{ store, archive, now, dryRun, onProgress, failpoint, before: limits },
              positions: await storedPositions(config),
              signal: AbortSignal.any([signal, lost]),
            });
          }),
        );
        const { removed, late, kept } = ran!.result;
        printRows(
          Object.entries(removed).map(([table, rows]) => ({ table, [dryRun ? "would_remove" : "removed"]: rows })),
          { json },
        );
        if (late.length > 0)
          process.stderr.write(`archived first, since the archive lacked them: ${count(late.length, "segment")}\n`);
        if (kept.length > 0)
          process.stderr.write(`left alone, since they were restored: ${count(kept.length, "segment")}\n`);
      }),
    );
}
