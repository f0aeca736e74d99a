/**
 * Tests of a rule as data: `NAME.test.json` beside `NAME.ts`, or a JSON rule `NAME.json`.
 *
 *     { "tests": [{ "name": "a large transfer is reported",
 *                   "transactions": [{ "value": "0x56bc75e2d63100000" }],
 *                   "alerts": ["medium: 100 ETH from 0x… to 0x…"], "tags": ["whale"] }] }
 *
 * A transaction says what it is about; the rest is of a sample (`sampleTransaction`). Or `transactions` names a recording
 * beside the file. What the rule must say of all of them, in order: alerts, tags, scores, failures; a list that is left out
 * must be empty. `parameters` are values of the rule's parameters, `lists` the entries of lists that it names. A test without any list expects nothing yet: `update` writes down what the rule says.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../../engine/frame/writeFrame.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { readLines } from "../../engine/source/recording.ts";
import type { GivenLists } from "../../engine/world/givenLists.ts";
import { formatPlace, locateTrap } from "./locateTrap.ts";
import { sampleTransaction, type TriedRule, tryRule, type Verdict } from "./tryRule.ts";

const LISTS = ["alerts", "tags", "scores", "failures"] as const;
type List = (typeof LISTS)[number];

const MAX_TRANSACTIONS = 100_000;

const listsSchema = z.record(z.string(), z.array(z.string())).optional();

const fileSchema = z.strictObject({
  rule: z.string().optional().describe("the rule's source or JSON, beside this file; default: this file's name"),
  lists: listsSchema.describe("lists that the rule names, by name; what is left out is empty"),
  tests: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        parameters: z
          .record(z.string(), z.unknown())
          .optional()
          .describe("values of the rule's parameters; what is left out has its default"),
        lists: listsSchema.describe("lists that the rule names, in place of the file's"),
        transactions: z.union([z.string(), z.array(z.record(z.string(), z.unknown())).min(1).max(1_000)]),
        alerts: z.array(z.string()).optional(),
        tags: z.array(z.string()).optional(),
        scores: z.array(z.number()).optional(),
        failures: z.array(z.string()).optional(),
      }),
    )
    .min(1)
    .max(1_000),
});
type TestFile = z.infer<typeof fileSchema>;
type Test = TestFile["tests"][number];

export interface Difference {
  readonly list: List;
  /** Expected and not said, and the other way round. */
  readonly missing: readonly (string | number)[];
  readonly unexpected: readonly (string | number)[];
}

export interface TestResult {
  readonly file: string;
  readonly test: string;
  readonly ok: boolean;
  readonly differences: readonly Difference[];
  /** What explains a difference: a filter that let nothing through, a test that expects nothing yet. */
  readonly hint: string | null;
  /** `update` has changed its lists. */
  readonly updated: boolean;
}

export interface TestOptions {
  /** Writes down what the rule says. */
  readonly update?: boolean;
  /** Values of the rule's parameters in all tests that say no other. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Lists that the rule names, in all tests that say no other. */
  readonly lists?: GivenLists;
}

/** Runs the tests of a `.test.json` in the real sandbox. @throws UserError when file or rule cannot be used */
export async function runTestFile(
  file: string,
  { update = false, values = {}, lists = {} }: TestOptions = {},
): Promise<TestResult[]> {
  const content = readTestFile(file);
  const beside = ["ts", "json"].map((kind) => `${nameOf(file)}.${kind}`);
  const named = content.rule ?? beside.find((name) => existsSync(resolve(dirname(file), name))) ?? beside[0]!;
  const source = resolve(dirname(file), named);
  const rule = await tryRule(source).catch((error: Error) => {
    throw new UserError(`Cannot test "${file}": ${error.message}`, {
      next: "npx weir rule new NAME makes a rule with its test",
    });
  });
  const results: TestResult[] = [];
  const tests: Test[] = [];
  for (const test of content.tests) {
    const { name, parameters, lists: own, transactions } = test;
    const tried = withValues(rule, file, name, { ...values, ...parameters });
    const { result, said } = await runTest(
      { rule: tried, source, file, lists: { ...asText(content.lists), ...listsNamed(rule, lists), ...asText(own) } },
      test,
      update,
    );
    results.push(result);
    tests.push(
      result.updated
        ? { name, ...(parameters && { parameters }), ...(own && { lists: own }), transactions, ...said }
        : test,
    );
  }
  if (results.some(({ updated }) => updated))
    writeFileSync(file, `${JSON.stringify({ ...content, tests }, null, 2)}\n`);
  return results;
}

function withValues(rule: TriedRule, file: string, name: string, values: Readonly<Record<string, unknown>>): TriedRule {
  if (Object.keys(values).length === 0) return rule;
  try {
    return rule.with(values);
  } catch (error) {
    throw new UserError(`Cannot run "${name}" of "${file}": ${(error as Error).message}`);
  }
}

interface Tested {
  readonly lists: GivenLists;
  readonly rule: TriedRule;
  readonly source: string;
  /** with the tests */
  readonly file: string;
}

/** One command tests many rules. */
const listsNamed = ({ manifest }: TriedRule, lists: GivenLists): GivenLists =>
  Object.fromEntries(Object.entries(lists).filter(([name]) => manifest.lists?.some((list) => list.name === name)));

const asText = (lists: Readonly<Record<string, readonly string[]>> = {}): GivenLists =>
  Object.fromEntries(Object.entries(lists).map(([name, entries]) => [name, entries.join("\n")]));

async function runTest({ rule, source, file, lists }: Tested, test: Test, update: boolean) {
  const transactions = await transactionsOf(file, test);
  const verdicts = await runIn(rule, file, test, transactions, lists);
  const said: Record<List, (string | number)[]> = {
    alerts: verdicts.flatMap(({ alerts }) => alerts),
    tags: verdicts.flatMap(({ tags }) => tags),
    scores: verdicts.flatMap(({ scores }) => scores),
    failures: verdicts.flatMap(({ failure }) => failure ?? []),
  };
  const undecided = LISTS.every((list) => test[list] === undefined);
  const differences = LISTS.flatMap((list) => difference(list, test[list] ?? [], said[list]));
  const ok = differences.length === 0 && !undecided;
  const updated = update && !ok;
  const result: TestResult = {
    file,
    test: test.name,
    ok: ok || updated,
    differences: updated ? [] : differences,
    hint:
      ok || updated
        ? null
        : (hintOf(undecided, differences, verdicts) ?? (await placeOf(source, transactions, verdicts, differences))),
    updated,
  };
  // what is empty need not be said, but one list must be there
  const kept = Object.fromEntries(
    LISTS.filter((list) => list === "alerts" || said[list].length > 0).map((list) => [list, said[list]]),
  );
  return { result, said: kept as Pick<Test, List> };
}

/** Where the first failure was that nobody expected. */
async function placeOf(
  source: string,
  transactions: readonly TransactionRecord[],
  verdicts: readonly Verdict[],
  differences: readonly Difference[],
): Promise<string | null> {
  const unexpected = differences.find(({ list }) => list === "failures")?.unexpected ?? [];
  const at = verdicts.findIndex(({ failure }) => failure !== null && unexpected.includes(failure));
  if (at < 0 || !source.endsWith(".ts")) return null;
  const writer = createFrameWriter();
  writeFrame(writer, transactions[at]!);
  const frame = writer.bytes.slice(0, writer.end);
  const place = await locateTrap(source, { message: verdicts[at]!.failure!, frame });
  return place && formatPlace(place);
}

async function runIn(
  rule: TriedRule,
  file: string,
  test: Test,
  transactions: readonly TransactionRecord[],
  lists: GivenLists,
) {
  try {
    return rule.run(transactions, lists).verdicts;
  } catch (error) {
    throw new UserError(`Cannot run "${test.name}" of "${file}": ${(error as Error).message}`);
  }
}

/** A list as a multiset first: what is missing, what is too much. If only the order differs, all of it is shown. */
function difference(
  list: List,
  expected: readonly (string | number)[],
  got: readonly (string | number)[],
): Difference[] {
  if (expected.length === got.length && expected.every((one, i) => one === got[i])) return [];
  const missing = without(expected, got);
  const unexpected = without(got, expected);
  const reordered = missing.length === 0 && unexpected.length === 0;
  return [{ list, ...(reordered ? { missing: expected, unexpected: got } : { missing, unexpected }) }];
}

function without<T>(all: readonly T[], taken: readonly T[]): T[] {
  const left = [...taken];
  return all.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function hintOf(undecided: boolean, differences: readonly Difference[], verdicts: readonly Verdict[]): string | null {
  if (undecided) return "it expects nothing yet: --update writes down what the rule says";
  const candidates = verdicts.filter(({ candidate }) => candidate).length;
  if (candidates === 0 && differences.some(({ missing }) => missing.length > 0))
    return `the rule's filter let none of its ${verdicts.length} transactions through`;
  return null;
}

async function transactionsOf(file: string, { name, transactions }: Test): Promise<TransactionRecord[]> {
  if (typeof transactions !== "string")
    return transactions.map((about) => sampleTransaction(about as Partial<TransactionRecord>));
  const records: TransactionRecord[] = [];
  for await (const line of readLines(resolve(dirname(file), transactions))) {
    if (line.length === 0) continue;
    if (records.length === MAX_TRANSACTIONS)
      throw new UserError(`Cannot run "${name}" of "${file}": expected at most ${MAX_TRANSACTIONS} transactions`, {
        next: "weir rule run goes over whole recordings",
      });
    records.push(JSON.parse(line.toString()) as TransactionRecord);
  }
  return records;
}

function readTestFile(file: string): TestFile {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`Cannot read the tests "${file}": ${(error as Error).message}`);
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join(".") || "file"}: ${message}`,
  );
  throw new UserError(`Cannot read the tests "${file}":\n${problems.join("\n")}`, {
    next: "rules-as/README.md shows a test file",
  });
}

/** `rules/big.test.json` is `big` */
export const nameOf = (file: string): string => file.replace(/^.*[/\\]/, "").replace(/\.test\.\w+$/, "");
