import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** A query that lies beside its name as `NAME.sql`: the comment at its head says what it asks. */
export interface ExampleQuery {
  readonly name: string;
  /** The comment, one line. */
  readonly about: string;
  readonly sql: string;
}

/** Analysts' questions, and what the example rules alert on, said in SQL. */
const FOLDERS = ["analyst", "examples"];

export async function exampleQueries(): Promise<ExampleQuery[]> {
  const files = await Promise.all(
    FOLDERS.map(async (folder) => {
      const path = fileURLToPath(new URL(folder, import.meta.url));
      return (await readdir(path))
        .sort()
        .map((file) => ({ name: file.replace(/\.sql$/, ""), path: `${path}/${file}` }));
    }),
  );
  return Promise.all(
    files.flat().map(async ({ name, path }) => {
      const sql = await readFile(path, "utf8");
      const [head] = /^(-- .*\n)+/.exec(sql) ?? [""];
      return { name, about: head.replace(/^-- /gm, "").replaceAll("\n", " ").trim(), sql };
    }),
  );
}
