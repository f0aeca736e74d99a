import { createRequire } from "node:module";
import { relative } from "node:path";
import { run } from "node:test";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { findTests } from "../../../rules-as/cli/findTests.ts";
import { type Difference, runTestFile, type TestResult } from "../../../rules-as/cli/ruleTests.ts";
import { EXIT } from "../../ops/errors.ts";
import { type ListFiles, readLists, withListOption } from "./listFiles.ts";
import { type GivenValues, withParamOption } from "./values.ts";

const LOADER = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

const HOOK = new URL("../../../rules-as/cli/testingHook.mjs", import.meta.url).href;

interface Options {
  readonly json?: boolean;
  readonly update?: boolean;
  readonly param?: GivenValues;
  readonly list?: ListFiles;
}

export function testCommand(command: Command): void {
  withListOption(withParamOption(command, "rules with a .test.json that does not say it"), "what the test says")
    .argument("[files...]", "NAME.test.json, NAME.test.ts, or folders with them (default: this folder)")
    .option("--json", "a JSON line a test, then the summary")
    .option("--update", "write what the rules say now into the .test.json as what is expected")
    .addHelpText(
      "after",
      `
The rules run in the real sandbox. Exit codes: 0 all passed, 1 an expectation failed.

Examples:
  weir rule test big-approval
  weir rule test --update big-approval/big-approval.test.json`,
    )
    .action(async (paths: string[], { json = false, update = false, param = {}, list }: Options) => {
      const found = findTests(paths.length === 0 ? ["."] : paths);
      for (const file of found.foreign) process.stderr.write(`left out: ${file} is a test for another runner\n`);
      const asJson = json || !process.stdout.isTTY;
      let passed = 0;
      let failed = 0;
      const show = (result: TestResult): void => {
        if (result.ok) passed++;
        else failed++;
        process.stdout.write(asJson ? `${JSON.stringify(result)}\n` : describeResult(result));
      };
      const lists = await readLists(list);
      for (const file of found.json)
        for (const result of await runTestFile(file, { update, values: param, lists })) show(result);
      if (found.ts.length > 0) for await (const result of runTypeScript(found.ts)) show(result);
      process.stdout.write(
        asJson ? `${JSON.stringify({ summary: { passed, failed } })}\n` : `${passed} passed, ${failed} failed\n`,
      );
      process.exitCode = failed === 0 ? EXIT.ok : EXIT.refused;
    });
}

/** Each file in a process of its own, by Node's test runner. Of loaders the last is asked first: ours leaves the rest to our hook. */
async function* runTypeScript(files: readonly string[]): AsyncGenerator<TestResult> {
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import ${HOOK} --import ${LOADER}`.trim();
  for await (const { type, data } of run({ files: [...files], concurrency: 2 })) {
    if (type === "test:stderr" || type === "test:stdout") process.stderr.write(data.message);
    // A file that fails as a whole is a test of its own name; a test that holds others is counted by them.
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, file = name, details } = data;
    const isFile = files.some((path) => name.endsWith(path));
    if (isFile && type === "test:pass") continue;
    const cause = type === "test:fail" ? ((data.details.error as Error).cause ?? data.details.error) : null;
    if (details.type === "suite") continue;
    if (
      isFile &&
      (data as { details: { error?: { failureType?: string } } }).details.error?.failureType === "subtestsFailed"
    )
      continue;
    const hint = cause === null ? null : cause instanceof Error ? cause.message : String(cause);
    yield {
      file: relative(process.cwd(), file),
      test: name,
      ok: type === "test:pass",
      differences: [],
      hint,
      updated: false,
    };
  }
}

function describeResult({ file, test, ok, differences, hint, updated }: TestResult): string {
  const head = `${ok ? "✓" : "✗"} ${file}  ${test}${updated ? "  (updated)" : ""}\n`;
  const lines = differences.flatMap(describeDifference);
  if (hint !== null) lines.push(...hint.split("\n"));
  return head + lines.map((line) => `    ${line}\n`).join("");
}

const describeDifference = ({ list, missing, unexpected }: Difference): string[] => [
  `${list}:  - expected  + got`,
  ...missing.map((text) => `  - ${text}`),
  ...unexpected.map((text) => `  + ${text}`),
];
