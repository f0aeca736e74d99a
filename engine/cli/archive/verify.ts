import type { Command } from "commander";
import { checkSegmentFile } from "../../../clickhouse/archive/segmentFile.ts";
import { UserError } from "../../ops/errors.ts";
import { count, printRows } from "../terminal.ts";
import { chosenSegments, type PeriodOptions, withArchive, withPeriod, withProgress } from "./openArchive.ts";

export function verifyCommand(command: Command): void {
  withPeriod(command.argument("[segments...]", "their ids (default: all, or those of the period)"))
    .addHelpText(
      "after",
      "\nEach file is read: its bytes against their sha256, its rows against their number and checksum. Exit code 1 when one is not what it was.\n\nExamples:\n  weir archive verify\n  weir archive verify --from 2024-06-01 --json | jq 'select(.problem)'",
    )
    .action((ids: string[], { json = false, ...period }: PeriodOptions & { json?: boolean }) =>
      withArchive(async (open) => {
        const { store, archive } = open;
        const segments = await chosenSegments(open, ids, period);
        const files = segments.flatMap((segment) =>
          Object.entries(segment.tables).map(([table, file]) => ({ segment, table, file })),
        );
        const rows = await withProgress("verifying", "files", async (onProgress) => {
          const checked: { segment: string; table: string; rows: number; problem: string | null }[] = [];
          for (const [i, { segment, table, file }] of files.entries()) {
            onProgress(i, files.length);
            const problem = (await checkSegmentFile(store, archive.place, segment, file)) ?? null;
            checked.push({ segment: segment.id, table, rows: file.rows, problem });
          }
          onProgress(files.length, files.length);
          return checked;
        });
        printRows(rows, { json });
        const wrong = rows.filter(({ problem }) => problem !== null);
        if (wrong.length > 0)
          throw new UserError(
            `Cannot vouch for ${count(wrong.length, "file")} of ${files.length} in ${archive.place.where}`,
            {
              next: "Bring them back from a copy; what the store still has of them is archived again before it is removed",
            },
          );
      }),
    );
}
