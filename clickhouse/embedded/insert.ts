import { quoteName, quoteText } from "../quote.ts";
import type { Engine } from "./engine.ts";
import type { StatementPlan } from "./statement.ts";

type InsertBody = Extract<StatementPlan, { kind: "insertBody" }>;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly default_type: string;
  readonly default_expression: string;
}

interface InsertFile {
  readonly plan: InsertBody;
  readonly path: string;
  readonly database: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Runs `INSERT INTO t (columns) FORMAT X` with its data in a file, as INSERT … SELECT over `file()`. The file's structure is the
 * table's: names and types of the columns in the order in which the statement gives them. A field that a text format leaves
 * out gets the column's DEFAULT only when the statement names no columns (a DEFAULT may need columns that are not in the file).
 * @throws Error with ClickHouse's message
 */
export async function insertFile(engine: Engine, { plan, path, database, settings }: InsertFile) {
  const described = await engine.run({ sql: `DESCRIBE TABLE ${plan.table}`, database, format: "JSONEachRow" });
  const known = lines<Column>(described.bytes);
  const insertable = known.filter(({ default_type }) => default_type === "" || default_type === "DEFAULT");
  const columns = plan.columns?.map((name) => find(known, name, plan.table)) ?? insertable;
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const structure = columns
    .map(({ name, type, default_expression }) => {
      const fallback = plan.columns === undefined && default_expression !== "" ? ` DEFAULT ${default_expression}` : "";
      return `${quoteName(name)} ${type}${fallback}`;
    })
    .join(", ");
  const head = plan.columns === undefined ? plan.head.replace(plan.table, () => `${plan.table} (${names})`) : plan.head;
  const source = `file(${quoteText(path)}, ${quoteText(plan.format)}, ${quoteText(structure)})`;
  return engine.run({ sql: `${head} SELECT ${names} FROM ${source}`, database, settings });
}

function find(known: readonly Column[], name: string, table: string): Column {
  const column = known.find((candidate) => candidate.name === name);
  if (column) return column;
  throw new Error(
    `Code: 16. DB::Exception: Cannot insert into column "${name}" of ${table}: no such column, expected one of ${known.map((one) => one.name).join(", ")}. (NO_SUCH_COLUMN_IN_TABLE)`,
  );
}

function lines<T>(bytes: Uint8Array): T[] {
  const text = new TextDecoder().decode(bytes).trim();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as T);
}
