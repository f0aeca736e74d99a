import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { UsageError, UserError } from "../ops/errors.ts";
import { loadConfiguration, openStoreOnly } from "./house.ts";
import { printRows } from "./terminal.ts";

export function sqlCommand(program: Command): void {
  program
    .command("sql")
    .description("ask the store: a table on a terminal, JSON lines in a pipe; read-only")
    .argument("[query]", "SQL")
    .option("-f, --file <file>", "SQL from a file")
    .option("--json", "a JSON line a row")
    .addHelpText(
      "after",
      '\nExamples:\n  weir sql "select rule, count() from alerts group by rule"\n  weir sql -f report.sql | jq .',
    )
    .action(async (query: string | undefined, { file, json = false }: { file?: string; json?: boolean }) => {
      if ((query === undefined) === (file === undefined))
        throw new UsageError("Cannot run SQL: expected a query or --file, one of them");
      const sql =
        query ??
        (await readFile(file!, "utf8").catch((error: Error) => {
          throw new UserError(`Cannot read "${file}": ${error.message}`);
        }));
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        printRows(await store.rows<Record<string, unknown>>(sql.replace(/;\s*$/, ""), {}), { json });
      } finally {
        await store.close();
      }
    });
}
