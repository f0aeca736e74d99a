/** `npm test`: all tests, and the one line that says how they went. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonTestResults } from "vitest/node";
import { keepPassed, type Passed, passedFiles, testKeys } from "./support/unchanged.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2).filter((arg) => arg !== "--all");

/** Who names files or options wants just these run; so does who says `--all`. */
const keys = process.argv.length > 2 ? undefined : await keysOfCheckout();
const before = keys && (await passedFiles(root));
const unchanged = Object.entries(before ?? {}).filter(([file, { key }]) => keys?.get(file) === key);

const { status, results } = runVitest(unchanged.map(([file]) => file));
process.exitCode = results === undefined ? status || 1 : say(results);

if (keys !== undefined && results !== undefined) {
  const passed = results.testResults.flatMap(({ name, assertionResults, status }): [string, Passed][] => {
    const file = relative(root, name);
    const key = keys.get(file);
    if (key === undefined || status !== "passed") return [];
    const count = (status: string) => assertionResults.filter((each) => each.status === status).length;
    return [[file, { key, passed: count("passed"), skipped: assertionResults.length - count("passed") }]];
  });
  await keepPassed(root, Object.fromEntries([...unchanged, ...passed]));
}

/** Undefined where it cannot be told which files belong to the checkout. */
async function keysOfCheckout(): Promise<ReadonlyMap<string, string> | undefined> {
  if (!existsSync(join(root, ".git"))) return undefined;
  const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" });
  return testKeys(
    root,
    list.split("\0").filter((file) => file !== "" && existsSync(join(root, file))),
  );
}

function runVitest(without: readonly string[]): { status: number; results?: JsonTestResults } {
  const folder = mkdtempSync(join(tmpdir(), "weir-test-"));
  const report = join(folder, "report.json");
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"];
  const { status, signal } = spawnSync(
    process.execPath,
    [...vitest, `--outputFile.json=${report}`, ...without.flatMap((file) => ["--exclude", file]), ...args],
    { cwd: root, stdio: "inherit" },
  );
  const results = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as JsonTestResults) : undefined;
  rmSync(folder, { recursive: true });
  return { status: status ?? (signal === "SIGINT" ? 130 : 70), ...(results && { results }) };
}

/** Prints the line. @returns the exit status */
function say({ numPassedTests, numFailedTests, numPendingTests, testResults }: JsonTestResults): number {
  // A file that could not even be loaded has no tests to fail.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((each) => each.status === "failed"),
  );
  for (const { name, message } of broken) console.log(`failed to load: ${name}\n${message}`);
  const earlier = { passed: sum(unchanged, "passed"), skipped: sum(unchanged, "skipped") };
  if (unchanged.length > 0)
    console.log(
      `${earlier.passed} tests of ${unchanged.length} files were left out: nothing they depend on has changed since they passed. npm test -- --all runs them`,
    );
  // Nor does a run that ended before its first test.
  const failed = numFailedTests + broken.length || (numPassedTests === 0 ? 1 : 0);
  const skipped = numPendingTests + earlier.skipped;
  console.log(
    `${numPassedTests + earlier.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  );
  return failed > 0 ? 1 : status;
}

function sum(files: readonly (readonly [string, Passed])[], count: "passed" | "skipped"): number {
  return files.reduce((total, [, each]) => total + each[count], 0);
}
