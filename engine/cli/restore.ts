import type { Command } from "commander";
import { openBackupPlace } from "../backup/place.ts";
import { restore, verifyBackup } from "../backup/restore.ts";
import { createFailpoint } from "../ops/failpoint.ts";
import { withProgress } from "./archive/openArchive.ts";
import { loadConfiguration } from "./configuration.ts";
import { openControlOnly, openStoreOnly } from "./store.ts";
import { count, printRows } from "./terminal.ts";

export function restoreCommand(command: Command): void {
  command
    .argument("<src>", "what `weir backup` wrote: a folder, s3://bucket/prefix or gs://bucket/prefix")
    .option("--check", "only read the backup and compare it with its checksums")
    .option("--replace", "also where there is something: what is there goes")
    .option("--json", "the summary as JSON, also on a terminal")
    .addHelpText(
      "after",
      `
Stop engines and the API before. All files are compared with their checksums before anything is touched. Until the restore is at its
end no command goes on with half of it; what was interrupted is run again. Engines then go on from the position of the backup:
what came later is read, stored and published once more, with the same ids.

Exit codes: 0 restored, 1 damaged, too new, no room, or there is something already, 4 a service is unreachable

Examples:
  weir restore --check /backups/weir-2024-06-01
  WEIR_DATA=/new weir restore /backups/weir-2024-06-01
  weir restore --replace s3://my-bucket/weir/2024-06-01`,
    )
    .action(async (src: string, flags: { check?: boolean; replace?: boolean; json?: boolean }) => {
      const { check = false, replace = false, json = false } = flags;
      const { config } = loadConfiguration();
      const place = openBackupPlace(src, config);
      if (check) {
        const manifest = await withProgress("reading", "bytes", (onProgress) => verifyBackup(place, onProgress));
        const { created_at, weir, files } = manifest;
        return printRows([{ backup: place.where, created_at, weir, files: Object.keys(files).length, ok: true }], {
          json,
        });
      }
      const store = await openStoreOnly(config, { restoring: true });
      const control = openControlOnly(config);
      const failpoint = createFailpoint(config.engine.failpoint);
      try {
        const { manifest, beyond, notes } = await withProgress("restoring", "bytes", (onProgress) =>
          restore({ config, store, control, place, replace, failpoint, onProgress }),
        );
        const { created_at, control: controlFacts } = manifest;
        const sum = (rows: Readonly<Record<string, number>>): number => Object.values(rows).reduce((a, b) => a + b, 0);
        const control_rows = controlFacts.tables.reduce((total, { rows }) => total + rows, 0);
        const { rows } = manifest.store;
        printRows(
          [{ backup: place.where, created_at, transactions: rows.transactions ?? 0, rows: sum(rows), control_rows }],
          { json },
        );
        if (sum(beyond) > 0)
          process.stderr.write(
            `${count(sum(beyond), "row")} beyond the position of the backup left out: they come again\n`,
          );
        for (const note of notes) process.stderr.write(`note: ${note}\n`);
      } finally {
        await control.close();
        await store.close();
      }
    });
}
