import { quoteText } from "../quote.ts";
import { splitStatements, sqlTokens, type Token } from "../sqlTokens.ts";

/** What a request's SQL is, as far as its way through the child depends on it. */
export type StatementPlan =
  | {
      readonly kind: "read";
      readonly sql: string;
      /** `chunks`: chDB formats it piece by piece; `file`: it is written to a file, see `intoFile`; `whole`: it is held in memory. */
      readonly by: "chunks" | "file" | "whole";
      readonly format: string | undefined;
      /** Where the word FORMAT stands. */
      readonly formatAt: number;
    }
  | {
      readonly kind: "write";
      readonly sql: string;
      /** The table, of the current database, that it inserts into; undefined: it may do anything. */
      readonly into: string | undefined;
    }
  | {
      readonly kind: "insertBody";
      /** As a write's. */
      readonly into: string | undefined;
      /** `INSERT INTO t (columns) SETTINGS …`, without FORMAT. */
      readonly head: string;
      /** As written, quoted or not. */
      readonly table: string;
      /** Names without quotes; undefined when the statement names none. */
      readonly columns: readonly string[] | undefined;
      readonly format: string;
    };

const READS = new Set(["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "("]);
const STREAMS = new Set(["SELECT", "WITH", "("]);

/** Formats whose chunks can be put one behind the other: no header, no footer. */
const CHUNKED_FORMATS = new Set([
  "TabSeparated",
  "TabSeparatedRaw",
  "TSV",
  "TSVRaw",
  "CSV",
  "JSONEachRow",
  "JSONLines",
  "NDJSON",
  "JSONCompactEachRow",
  "JSONStringsEachRow",
  "JSONCompactStringsEachRow",
  "Native",
  "RowBinary",
]);

/** Formats with a header or a footer whose results may be long. */
const FILE_FORMATS = new Set([
  "Parquet",
  "Arrow",
  "ArrowStream",
  "ORC",
  "CSVWithNames",
  "TabSeparatedWithNames",
  "TSVWithNames",
]);

/**
 * Says how a request's SQL is to be run.
 * @param hasBody whether data follows the SQL, as in `?query=INSERT … FORMAT Native` with a body
 * @throws Error with ClickHouse's SYNTAX_ERROR for no or several statements, or for an INSERT that cannot take a body
 */
export function planStatement(sql: string, hasBody: boolean): StatementPlan {
  const [statement, ...more] = readable(() => splitStatements(sql));
  if (statement === undefined) throw syntaxError("the query is empty, expected one statement");
  if (more.length > 0) throw syntaxError(`${more.length + 1} statements in one request, expected one`);
  const tokens = [...sqlTokens(statement)];
  const first = tokens[0]!.text.toUpperCase();
  if (hasBody) return planInsert(statement, tokens);
  if (!READS.has(first)) return { kind: "write", sql: statement, into: intoOf(tokens) };
  const { name: format, at: formatAt } = formatOf(tokens);
  const by = STREAMS.has(first) ? answerBy(format ?? "TabSeparated") : "whole";
  return { kind: "read", sql: statement, by, format, formatAt };
}

const answerBy = (format: string) =>
  CHUNKED_FORMATS.has(format) ? "chunks" : FILE_FORMATS.has(format) ? "file" : "whole";

/** The statement of a plan by `file`, with its result written to the file, which is there. It stays one that only reads. */
export const intoFile = (
  { sql, formatAt }: { readonly sql: string; readonly formatAt: number },
  path: string,
): string => `${sql.slice(0, formatAt)}INTO OUTFILE ${quoteText(path)} TRUNCATE ${sql.slice(formatAt)}`;

function planInsert(sql: string, tokens: readonly Token[]): StatementPlan {
  const words = tokens.map((token) => (token.kind === "word" ? token.text.toUpperCase() : token.text));
  if (words[0] !== "INSERT" || words[1] !== "INTO") throw syntaxError("a body follows, expected INSERT INTO before it");
  const { name: format } = formatOf(tokens);
  const end = words.lastIndexOf("FORMAT");
  if (format === undefined || end !== tokens.length - 2)
    throw syntaxError("a body follows, expected FORMAT and a name at the end");

  const from = words[2] === "TABLE" ? 3 : 2;
  let at = from;
  while (at < end && (tokens[at]!.kind === "word" || tokens[at]!.kind === "name" || words[at] === ".")) {
    if (words[at] === "SETTINGS") break;
    at++;
  }
  if (at === from) throw syntaxError("no table after INSERT INTO");
  const table = sql.slice(tokens[from]!.start, tokens[at - 1]!.end);
  const columns = words[at] === "(" ? columnsOf(tokens, at + 1) : undefined;
  return { kind: "insertBody", head: sql.slice(0, tokens[end]!.start), into: intoOf(tokens), table, columns, format };
}

/** undefined also of what could be read in another way: a table of another database, or one that is called like a keyword. */
function intoOf(tokens: readonly Token[]): string | undefined {
  const [insert, into, name, next] = tokens;
  const isInsert = insert?.text.toUpperCase() === "INSERT" && into?.text.toUpperCase() === "INTO";
  const isPlain = next?.text !== "." && !/^(table|function)$/i.test(name?.text ?? "");
  return isInsert && isPlain && (name?.kind === "word" || name?.kind === "name") ? name.text : undefined;
}

function columnsOf(tokens: readonly Token[], from: number): string[] {
  const columns: string[] = [];
  for (let at = from; ; at += 2) {
    // A nested column is written n.a, or quoted as one name.
    let name = columnName(tokens[at]);
    while (tokens[at + 1]?.text === ".") {
      at += 2;
      name += `.${columnName(tokens[at])}`;
    }
    columns.push(name);
    const sign = tokens[at + 1]?.text;
    if (sign === ")") return columns;
    if (sign !== ",")
      throw syntaxError(`"${sign ?? ""}" in the columns of an INSERT, expected names with commas between them`);
  }
}

function columnName(token: Token | undefined): string {
  if (token?.kind === "word" || token?.kind === "name") return token.text;
  throw syntaxError(`"${token?.text ?? ""}" in the columns of an INSERT, expected names with commas between them`);
}

function formatOf(tokens: readonly Token[]): { name: string | undefined; at: number } {
  const i = tokens.findLastIndex((token) => token.kind === "word" && token.text.toUpperCase() === "FORMAT");
  const name = i < 0 ? undefined : tokens[i + 1];
  return name?.kind === "word" ? { name: name.text, at: tokens[i]!.start } : { name: undefined, at: -1 };
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof SyntaxError ? syntaxError(error.message) : error;
  }
}

function syntaxError(problem: string): Error {
  return new Error(`Code: 62. DB::Exception: Cannot run the statement: ${problem}. (SYNTAX_ERROR)`);
}
