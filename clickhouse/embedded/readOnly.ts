import { sqlTokens, type Token } from "../sqlTokens.ts";

/** Table functions that read nothing but the store's tables or their own arguments. All others are refused. */
const SAFE_TABLE_FUNCTIONS = new Set(
  "format generateRandom generateSeries generate_series merge null numbers numbers_mt primes SQLStandardValues values view viewExplain viewIfPermitted zeros zeros_mt"
    .toLowerCase()
    .split(" "),
);

/** Functions that read files, load libraries or call services. */
const UNSAFE_FUNCTIONS = [
  "file",
  "catboostEvaluate",
  "aiClassify",
  "aiEmbed",
  "aiExtract",
  "aiGenerate",
  "aiTranslate",
];

const READING = new Set(["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "("]);

/**
 * Throws with ClickHouse's READONLY message if a statement could reach anything but the store's tables.
 * @param files what the path or URL of `file()` and `s3()` must begin with to be let through; without it none is
 */
export type ReadOnlyGuard = (sql: string, files?: string) => void;

const FILE_FUNCTIONS = new Set(["file", "s3"]);

/**
 * What a statement with the setting `readonly` may do. ClickHouse itself refuses to write, but chDB runs as a local tool: its
 * `readonly` lets through `file()`, `INTO OUTFILE`, and with `readonly = 2` `url()`, `remote()` and all the others. So those are
 * refused here, by every name that is followed by a parenthesis, and by the statement's first word.
 * @param tableFunctions names in system.table_functions
 */
export function createReadOnlyGuard(tableFunctions: readonly string[]): ReadOnlyGuard {
  const refused = new Set(UNSAFE_FUNCTIONS.map((name) => name.toLowerCase()));
  for (const name of tableFunctions) if (!SAFE_TABLE_FUNCTIONS.has(name.toLowerCase())) refused.add(name.toLowerCase());

  return (sql, files) => {
    let previous: Token | undefined;
    /** The name of a function whose first argument comes next, and must be a file that may be read. */
    let opening: string | undefined;
    for (const token of sqlTokens(sql)) {
      if (previous === undefined && !READING.has(token.text.toUpperCase())) refuse(token.text, "it may write");
      // An escape could spell a refused name; a quote or a space of another alphabet could hide one from the scanner.
      if (token.kind === "name" && sql.slice(token.start, token.end).includes("\\"))
        refuse(token.text, "it has an escape");
      if (token.kind === "sign" && !/^[\x20-\x7e]$/.test(token.text)) refuse(token.text, "it is not ASCII");
      const text = token.text.toLowerCase();
      if (token.kind === "word" && text === "outfile") refuse(token.text, "it writes a file");
      if (opening !== undefined && !(token.kind === "string" && isBelow(token.text, files!)))
        refuse(opening, `it names something outside of "${files}"`);
      opening = undefined;
      const called = previous?.kind === "word" || previous?.kind === "name" ? previous.text : undefined;
      if (text === "(" && token.kind === "sign" && called !== undefined && refused.has(called.toLowerCase())) {
        if (files === undefined || !FILE_FUNCTIONS.has(called.toLowerCase()))
          refuse(called, "it reaches beyond the store's tables");
        opening = called;
      }
      previous = token;
    }
  };
}

/** Globs may stand in it, a step upwards in none of their alternatives. */
const isBelow = (path: string, prefix: string): boolean => path.startsWith(prefix) && !path.includes("..");

function refuse(what: string, why: string): never {
  throw new Error(
    `Code: 164. DB::Exception: Cannot use "${what}" in readonly mode: ${why}, expected a SELECT over the store's tables. (READONLY)`,
  );
}
