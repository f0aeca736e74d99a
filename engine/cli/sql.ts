import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { type Store, StoreRefused } from "../../clickhouse/client.ts";
import { exampleQueries } from "../../clickhouse/queries/examples.ts";
import { UsageError, UserError } from "../ops/errors.ts";
import { loadConfiguration } from "./configuration.ts";
import { openStoreOnly } from "./store.ts";
import { narrowTable, printBytes, table } from "./terminal.ts";

interface Options {
  readonly file?: string;
  readonly example?: string;
  readonly examples?: boolean;
  readonly format?: "table" | "json" | "csv";
  readonly json?: boolean;
}

export function sqlCommand(command: Command): void {
  command
    .argument("[query]", "SQL")
    .option("-f, --file <file>", "SQL from a file")
    .option("-e, --example <name>", "a query of clickhouse/queries")
    .option("--examples", "their names, and what they ask")
    .addOption(
      new Option("--format <format>", "default: a table on a terminal, json (a line a row) in a pipe").choices([
        "table",
        "json",
        "csv",
      ]),
    )
    .option("--json", "the same as --format json")
    .addHelpText(
      "after",
      `
Examples:
  weir sql "select rule, count() from alerts group by rule"
  weir sql --examples
  weir sql --example sandwich-losses-by-pool
  weir sql --example private-flow-share --format csv > private.csv
  weir sql -f report.sql | jq .`,
    )
    .action(async (query: string | undefined, { file, example, examples = false, ...output }: Options) => {
      const given = [query, file, example, examples || undefined].filter((one) => one !== undefined);
      if (given.length !== 1)
        throw new UsageError("Cannot run SQL: expected a query, --file, --example or --examples, one of them");
      if (output.json === true && (output.format ?? "json") !== "json")
        throw new UsageError(`Cannot print "${output.format}" with --json: expected one of them`);
      const format = output.format ?? (output.json || !process.stdout.isTTY ? "json" : "table");
      if (examples) return printExamples(format);
      const sql = query ?? (file === undefined ? await exampleSql(example!) : await fileSql(file));
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        const asked = await inHex(store, sql.replace(/;\s*$/, ""));
        if (format === "csv") await printBytes(await store.stream(asked, {}, "CSVWithNames"));
        else printRows(await store.rows<Record<string, unknown>>(asked), format);
      } finally {
        await store.close();
      }
    });
}

const fileSql = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((error: Error) => {
    throw new UserError(`Cannot read "${file}": ${error.message}`);
  });

async function exampleSql(name: string): Promise<string> {
  const found = (await exampleQueries()).find((query) => query.name === name);
  if (found === undefined)
    throw new UsageError(
      `Cannot run example "${name.slice(0, 100)}": there is none of that name, expected one of weir sql --examples`,
    );
  return found.sql;
}

async function printExamples(format: "table" | "json" | "csv"): Promise<void> {
  const rows = (await exampleQueries()).map(({ name, about }) => ({ name, about }));
  if (format === "csv") throw new UsageError("Cannot print the list of examples as csv, expected table or json");
  if (format === "table") process.stdout.write(narrowTable(rows, process.stdout.columns));
  else printRows(rows, format);
}

const printRows = (rows: readonly Readonly<Record<string, unknown>>[], format: "table" | "json"): boolean =>
  process.stdout.write(format === "table" ? table(rows) : rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

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
