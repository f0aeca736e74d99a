import type { Command } from "commander";
import { pendingMigrations } from "../../clickhouse/migrate.ts";
import { doctor, hasFailed } from "../ops/doctor.ts";
import { loadConfiguration, openStoreOnly } from "./house.ts";
import { printRows } from "./terminal.ts";

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("what is configured, what is reachable, and a next step for each problem")
    .option("--json", "a JSON line a check")
    .action(async ({ json = false }: { json?: boolean }) => {
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
