import type { Command } from "commander";
import { pendingMigrations } from "../../clickhouse/migrate.ts";
import { sql } from "../control/drizzle.ts";
import type { Database } from "../control/open.ts";
import { doctor, hasFailed } from "../ops/doctor.ts";
import { loadConfiguration } from "./configuration.ts";
import { openControlOnly, openStoreOnly } from "./store.ts";
import { printRows } from "./terminal.ts";

async function askServer(db: Database): Promise<{ version: string; rules: number | null }> {
  const server = await db.execute<{ version: string; made: boolean }>(
    sql`SELECT current_setting('server_version') AS version, to_regclass('rules') IS NOT NULL AS made`,
  );
  const { version, made } = server.rows[0]!;
  if (!made) return { version, rules: null };
  const counted = await db.execute<{ rules: number }>(sql`SELECT count(*)::integer AS rules FROM rules`);
  return { version, rules: counted.rows[0]!.rules };
}

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
      async askControl() {
        const control = openControlOnly(loaded.config);
        try {
          return await control.read(askServer);
        } finally {
          await control.close();
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
