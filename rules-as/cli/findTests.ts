/** Where the tests of rules are: `NAME.test.json` and `NAME.test.ts` in the folders that were named, or the files themselves. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../engine/ops/errors.ts";
import { nameOf } from "./ruleTests.ts";

const LEFT_OUT = new Set(["node_modules", "build"]);
const MAX_DEPTH = 8;

export interface FoundTests {
  readonly json: readonly string[];
  readonly ts: readonly string[];
  /** Tests that another runner runs. */
  readonly foreign: readonly string[];
}

/** @throws UserError when there is no test at all, or a path is not there */
export function findTests(paths: readonly string[]): FoundTests {
  const files = paths.flatMap((path) => {
    if (!existsSync(path)) throw new UserError(`Cannot test "${path}": there is no such file or folder`);
    return statSync(path).isDirectory() ? inFolder(path, 0) : [path];
  });
  const ts = files.filter((file) => file.endsWith(".test.ts"));
  const foreign = ts.filter((file) => /from "(vitest|jest)"/.test(readFileSync(file, "utf8")));
  const found = {
    json: files.filter((file) => file.endsWith(".test.json")),
    ts: ts.filter((file) => !foreign.includes(file)),
    foreign,
  };
  if (found.json.length + found.ts.length === 0)
    throw new UserError(
      `Cannot test "${paths.join('", "')}": there is no NAME.test.json or NAME.test.ts beside a rule`,
      {
        next: "npx weir rule new NAME makes a rule with its test",
      },
    );
  return found;
}

/** In the order of their names; a TypeScript test counts if its rule lies beside it. */
function inFolder(folder: string, depth: number): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory())
        return LEFT_OUT.has(entry.name) || entry.name.startsWith(".") || depth === MAX_DEPTH
          ? []
          : inFolder(path, depth + 1);
      if (entry.name.endsWith(".test.json")) return [path];
      return entry.name.endsWith(".test.ts") && existsSync(join(dirname(path), `${nameOf(path)}.ts`)) ? [path] : [];
    });
}
