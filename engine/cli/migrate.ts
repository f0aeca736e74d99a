import type { Command } from "commander";
import { migrate } from "../../clickhouse/migrate.ts";
import { migrateControl } from "../control/migrate.ts";
import { loadConfiguration } from "./configuration.ts";
import { openControlOnly, openStoreOnly } from "./store.ts";
import { printRows } from "./terminal.ts";

export function migrateCommand(command: Command): void {
  command.option("--json", "a JSON line a migration").action(async ({ json = false }: { json?: boolean }) => {
    const { config } = loadConfiguration();
    const store = await openStoreOnly(config);
    const control = openControlOnly(config);
    try {
      const migrated = { clickhouse: await migrate(store), control: await migrateControl(control) };
      const applied = Object.entries(migrated).flatMap(([database, { applied }]) =>
        applied.map((name) => ({ database, applied: name })),
      );
      printRows(applied, { json });
      const already = migrated.clickhouse.already + migrated.control.already;
      process.stderr.write(`${applied.length} applied, ${already} were already\n`);
    } finally {
      await control.close();
      await store.close();
    }
  });
}
