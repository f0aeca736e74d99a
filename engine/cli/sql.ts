import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Store, StoreRefused } from "../../clickhouse/client.ts";
import { UsageError, UserError } from "../ops/errors.ts";
import { loadConfiguration } from "./configuration.ts";
import { openStoreOnly } from "./store.ts";
import { printRows } from "./terminal.ts";

export function sqlCommand(command: Command): void {
  command
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
        printRows(await store.rows<Record<string, unknown>>(await inHex(store, sql.replace(/;\s*$/, ""))), { json });
      } finally {
        await store.close();
      }
    });
}

/** Columns of plain String that hold bytes all the same. */
const BINARY = ["input", "log_data"];

/** Hashes, addresses and call data come as 0x…, as everybody writes them; what is not a SELECT is left as it is. */
async function inHex(store: Store, sql: string): Promise<string> {
  const columns = await store
    .rows<{ name: string; type: string }>(`DESCRIBE TABLE (${sql})`)
    .catch((error: unknown) => {
      if (error instanceof StoreRefused) return []; // SHOW, EXPLAIN, or a mistake that the statement itself will show better
      throw error;
    });
  const replaced = columns
    .filter(({ name, type }) => type.includes("FixedString(") || BINARY.includes(name))
    .map(({ name, type }) => {
      const column = `\`${name.replaceAll("`", "\\`")}\``;
      const depth = type.split("Array(").length - 1;
      const hex = (of: string, level: number): string =>
        level === 0
          ? `concat('0x', lower(hex(${of})))`
          : `arrayMap(x${level} -> ${hex(`x${level}`, level - 1)}, ${of})`;
      return `${hex(column, depth)} AS ${column}`;
    });
  return replaced.length === 0 ? sql : `SELECT * REPLACE (${replaced.join(", ")}) FROM (${sql})`;
}
