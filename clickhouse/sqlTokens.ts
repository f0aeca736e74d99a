/** A scanner for ClickHouse's SQL: just enough to tell words from quoted text and comments. */

export interface Token {
  /**
   * `word` is a bare identifier, keyword or number; `name` an identifier in back-ticks or double quotes (`text` is without them);
   * `string` a quoted or $heredoc$ string; `sign` any other single character. Comments and white space give no token.
   */
  readonly kind: "word" | "name" | "string" | "sign";
  readonly text: string;
  /** Offsets into the SQL, quotes included: `sql.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
}

const HEREDOC = /\$\w*\$/y;
const WORD = /[\p{L}\p{N}_$]+/uy;
const BLANK = /\s+/y;

/**
 * Cuts SQL into tokens.
 * @throws SyntaxError for a quote or a comment that is not closed
 */
export function* sqlTokens(sql: string): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0];
  };
  while (at < sql.length) {
    const start = at;
    const char = sql[at]!;
    const blank = match(BLANK);
    if (blank !== undefined) {
      at += blank.length;
    } else if (sql.startsWith("--", at) || sql.startsWith("//", at) || char === "#") {
      at = indexAfter(sql, "\n", at) ?? sql.length;
    } else if (sql.startsWith("/*", at)) {
      at = endOfComment(sql, at);
    } else if (char === "'" || char === '"' || char === "`") {
      at = endOfQuote(sql, at);
      const text = sql.slice(start + 1, at - 1);
      yield { kind: char === "'" ? "string" : "name", text: withoutEscapes(text, char), start, end: at };
    } else if (char === "$" && match(HEREDOC) !== undefined) {
      const mark = match(HEREDOC)!;
      at = indexAfter(sql, mark, at + mark.length) ?? unclosed(sql, "heredoc", start);
      yield { kind: "string", text: sql.slice(start + mark.length, at - mark.length), start, end: at };
    } else {
      const word = match(WORD);
      at += word?.length ?? 1;
      yield { kind: word === undefined ? "sign" : "word", text: word ?? char, start, end: at };
    }
  }
}

/** Statements of a script, without the `;` between them; a part that holds nothing but comments is left out. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let empty = true;
  const take = (end: number): void => {
    if (!empty) statements.push(sql.slice(start, end).trim());
    empty = true;
  };
  for (const token of sqlTokens(sql)) {
    if (token.kind === "sign" && token.text === ";") {
      take(token.start);
      start = token.end;
    } else {
      empty = false;
    }
  }
  take(sql.length);
  return statements;
}

function indexAfter(sql: string, mark: string, from: number): number | undefined {
  const found = sql.indexOf(mark, from);
  return found < 0 ? undefined : found + mark.length;
}

/** A quote ends at the same quote, unless a backslash stands before it or it is doubled. */
function endOfQuote(sql: string, start: number): number {
  const quote = sql[start];
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === "\\") at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return unclosed(sql, "quote", start);
}

/** Block comments nest in ClickHouse. */
function endOfComment(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    if (sql.startsWith("/*", at)) {
      depth++;
      at++;
    } else if (sql.startsWith("*/", at)) {
      at++;
      if (--depth === 0) return at + 1;
    }
  }
  return unclosed(sql, "comment", start);
}

function withoutEscapes(text: string, quote: string): string {
  return text.replaceAll(quote + quote, quote).replace(/\\(.)/gs, "$1");
}

function unclosed(sql: string, what: string, at: number): never {
  const line = sql.slice(0, at).split("\n").length;
  throw new SyntaxError(
    `Cannot read SQL: ${what} that opens in line ${line} is not closed: ${sql.slice(at, at + 40).split("\n")[0]}`,
  );
}
