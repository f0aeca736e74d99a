import type { Command } from "commander";
import { pendingMigrations } from "../../clickhouse/migrate.ts";
import { doctor, hasFailed } from "../ops/doctor.ts";
import { loadConfiguration } from "./configuration.ts";
import { openStoreOnly } from "./store.ts";
import { printRows } from "./terminal.ts";

export function doctorCommand(command: Command): void {
  command.option("--json", "a JSON line a check").action(async ({ json = false }: { json?: boolean }) => {
    const loaded = loadConfiguration();
    const checks = await doctor({
      loaded,
      async askStore() {
        const store = await openStoreOnly(loaded.config);
        try {
          return { version: await store.version(), pendingMigrations: await pendingMigrations(store) };
        } finally {
          await store.close();
        }
      },
    });
    printRows(
      checks.map((check) => ({ ...check })),
      { json },
    );
    process.exitCode = hasFailed(checks) ? 1 : 0;
  });
}
