import type { Command } from "commander";
import { effective } from "../../../clickhouse/archive/manifest.ts";
import { giveUp, restoreSegments, withLate } from "../../../clickhouse/archive/restore.ts";
import { ARCHIVE_JOB } from "../../archive/run.ts";
import { runJob } from "../../control/jobs.ts";
import { UsageError, UserError } from "../../ops/errors.ts";
import { interrupted } from "../interrupt.ts";
import { count, printRows } from "../terminal.ts";
import { chosenSegments, type PeriodOptions, withArchive, withPeriod, withProgress } from "./openArchive.ts";

interface RestoreFlags extends PeriodOptions {
  readonly all?: boolean;
  readonly giveUp?: boolean;
  readonly json?: boolean;
}

export function restoreCommand(command: Command): void {
  withPeriod(command.argument("[segments...]", "their ids"))
    .option("--all", "every segment")
    .option("--give-up", "the other way: retention may remove their rows again")
    .addHelpText(
      "after",
      `
Whole segments come back, each row once, however often this is called. Statistics do not count them again. Retention leaves them alone until
they are given up.

Examples:
  weir archive restore --from 2024-06-01 --to 2024-06-02
  weir archive restore --give-up --from 2024-06-01 --to 2024-06-02`,
    )
    .action((ids: string[], { all = false, giveUp: back = false, json = false, ...period }: RestoreFlags) =>
      withArchive(async (open) => {
        if (ids.length === 0 && !all && period.from === undefined && period.to === undefined)
          throw new UsageError("Cannot restore: expected segments, --from and --to, or --all");
        const { config, store, control, failpoint, archive } = open;
        if (config.store.cluster !== undefined)
          throw new UserError(
            `Cannot restore into the cluster "${config.store.cluster}": its rows come back on each server by itself, expected one server or the embedded store`,
            {
              next: "Ask the archive without restoring (weir archive query), or restore into a store of its own and copy the rows",
            },
          );
        const chosen = await chosenSegments(open, ids, period);
        const segments = withLate(chosen, effective(await archive.place.manifests()));
        if (back) {
          await giveUp(store, segments);
          process.stderr.write(`${count(segments.length, "segment")} given up\n`);
          return;
        }
        const signal = interrupted();
        const restored = await withProgress("restoring", "files", (onProgress) =>
          runJob(control, ARCHIVE_JOB, (lost) =>
            restoreSegments({
              store,
              place: archive.place,
              segments,
              signal: AbortSignal.any([signal, lost]),
              ...{ failpoint, onProgress },
            }),
          ),
        );
        printRows(
          Object.entries(restored!.result).map(([table, rows]) => ({ table, rows })),
          { json },
        );
        process.stderr.write(`${count(segments.length, "segment")} of the archive are in the store\n`);
      }),
    );
}
