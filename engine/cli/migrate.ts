import type { Command } from "commander";
import { migrate } from "../../clickhouse/migrate.ts";
import { loadConfiguration, openStoreOnly } from "./house.ts";
import { printRows } from "./terminal.ts";

export function migrateCommand(program: Command): void {
  program
    .command("migrate")
    .description("bring the tables of the store up to this version")
    .option("--json", "a JSON line a migration")
    .action(async ({ json = false }: { json?: boolean }) => {
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        const { applied, already } = await migrate(store);
        printRows(
          applied.map((name) => ({ applied: name })),
          { json },
        );
        process.stderr.write(`${applied.length} applied, ${already} were already\n`);
      } finally {
        await store.close();
      }
    });
}
