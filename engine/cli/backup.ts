import type { Command } from "commander";
import { backUp } from "../backup/backUp.ts";
import { openBackupPlace } from "../backup/place.ts";
import { createFailpoint } from "../ops/failpoint.ts";
import { withProgress, withStores } from "./archive/openArchive.ts";
import { printRows } from "./terminal.ts";

export function backupCommand(command: Command): void {
  command
    .argument("<dest>", "an empty folder or one to be made; s3://bucket/prefix or gs://bucket/prefix")
    .option("--json", "the summary as JSON, also on a terminal")
    .addHelpText(
      "after",
      `
The store, the control store and the ledgers as of one position, while engines go on. It is there whole or not at all. Not in it:
the keys that secrets were sealed with (WEIR_SECRETS_KEYS, or secrets-key in WEIR_DATA), the archive, exports, .env. Password
hashes and sealed secrets are: keep it as safe as the installation. A ClickHouse server writes its part itself, so that goes to a bucket.

Examples:
  weir backup /backups/weir-2024-06-01
  weir backup s3://my-bucket/weir/2024-06-01
  weir restore --check /backups/weir-2024-06-01`,
    )
    .action(async (dest: string, { json = false }: { json?: boolean }) => {
      await withStores(async ({ config, store, control }) => {
        const place = openBackupPlace(dest, config);
        const failpoint = createFailpoint(config.engine.failpoint);
        const began = performance.now();
        const manifest = await withProgress("backing up", "bytes", (onProgress) =>
          backUp({ config, store, control, place, failpoint, onProgress }),
        );
        const files = Object.values(manifest.files);
        const summary = {
          backup: place.where,
          transactions: manifest.store.rows.transactions ?? 0,
          rows: Object.values(manifest.store.rows).reduce((sum, rows) => sum + rows, 0),
          control_rows: manifest.control.tables.reduce((sum, { rows }) => sum + rows, 0),
          sources: new Set(manifest.positions.map(({ source }) => source)).size,
          files: files.length,
          bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
          seconds: Number(((performance.now() - began) / 1_000).toFixed(3)),
        };
        printRows([summary], { json });
        for (const source of manifest.unknown)
          process.stderr.write(
            `of unknown end: ${source}, of which no ledger is here that says how far it is stored\n`,
          );
        if (manifest.control.secret_keys.length > 0)
          process.stderr.write(
            `not in it: the key ${manifest.control.secret_keys.join(", ")} that secrets were sealed with; keep WEIR_SECRETS_KEYS, or secrets-key in ${config.data}\n`,
          );
      });
    });
}
