import { describe, expect, test } from "vitest";
import { splitStatements, sqlTokens } from "./sqlTokens.ts";

const kinds = (sql: string): string[] => [...sqlTokens(sql)].map(({ kind, text }) => `${kind} ${text}`);

test("sqlTokens() tells words, names, strings and signs apart", () => {
  expect(kinds("SELECT `a``b`, \"c\", 'it''s \\'' , x.y2")).toEqual([
    "word SELECT",
    "name a`b",
    "sign ,",
    "name c",
    "sign ,",
    "string it's '",
    "sign ,",
    "word x",
    "sign .",
    "word y2",
  ]);
});

test("sqlTokens() gives where a token stands", () => {
  const sql = "  SELECT 'a'";
  expect([...sqlTokens(sql)].map(({ start, end }) => sql.slice(start, end))).toEqual(["SELECT", "'a'"]);
});

test.each([
  ["-- to the end ' of the line\n1"],
  ["// to the end ' of the line\n1"],
  ["# to the end ' of the line\n1"],
  ["/* a /* nested ' */ one */ 1"],
])("sqlTokens() skips the comment %j", (sql) => {
  expect(kinds(sql)).toEqual(["word 1"]);
});

test("sqlTokens() reads a heredoc as a string", () => {
  expect(kinds("$tag$ ; ' $tag$ x")).toEqual(["string  ; ' ", "word x"]);
});

test.each([["SELECT 'a"], ["SELECT `a\\`"], ["/* a /* b */"], ["$a$ b $b$"]])(
  "sqlTokens() throws for %j: not closed",
  (sql) => {
    expect(() => kinds(sql)).toThrow(/opens in line 1 is not closed/);
  },
);

describe("splitStatements()", () => {
  test("leaves semicolons in quotes and comments alone", () => {
    const sql =
      "-- first; here\nCREATE TABLE a (x String COMMENT 'one; two''; three') ; /* ; */ SELECT `;`, \";\" -- ;\n;\n";
    expect(splitStatements(sql)).toEqual([
      "-- first; here\nCREATE TABLE a (x String COMMENT 'one; two''; three')",
      '/* ; */ SELECT `;`, ";" -- ;',
    ]);
  });

  test("gives nothing for blanks and comments", () => {
    expect(splitStatements(" ; -- x\n ;; /* y */")).toEqual([]);
  });
});
