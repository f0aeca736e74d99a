import type { Command } from "commander";
import { migrate } from "../../clickhouse/migrate.ts";
import { loadConfiguration } from "./configuration.ts";
import { openStoreOnly } from "./store.ts";
import { printRows } from "./terminal.ts";

export function migrateCommand(command: Command): void {
  command.option("--json", "a JSON line a migration").action(async ({ json = false }: { json?: boolean }) => {
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
