import { relative } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../ops/errors.ts";
import { inspectRecording } from "../../source/recording.ts";
import { BUNDLED_RECORDING } from "../bundled.ts";
import { count, createProgress, group, table } from "../terminal.ts";
import { compareLines } from "./compareLines.ts";
import type { MatchLine } from "./evaluate.ts";
import { createFailureNotes } from "./failureNotes.ts";
import { type ListFiles, listsOfFiles, withListOption } from "./listFiles.ts";
import { type LoadedRule, loadRule } from "./loadRule.ts";
import { writeOut } from "./output.ts";
import { type RunResult, runRecording } from "./runRecording.ts";
import { type GivenValues, withParamOption } from "./values.ts";
import { whenChanged } from "./watch.ts";

/** Rows of a table that a person reads; a pipe has all of them. */
const SHOWN = 40;

interface Options {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly batch?: number;
  readonly param?: GivenValues;
  readonly list?: ListFiles;
}

export function runCommand(command: Command): void {
  withListOption(withParamOption(command), "none: it must be given")
    .argument("<file>", "a source (.ts), a module (.wasm) or a JSON rule (.json)")
    .argument(
      "[recording]",
      "transactions, one a line: .ndjson, .gz or .zst (default: the bundled recording)",
      BUNDLED_RECORDING,
    )
    .option("--json", "a JSON line a match, then the summary: the same bytes on every run")
    .option("--watch", "run again whenever the rule's source is saved, and show what changed; Ctrl-C ends it")
    .option("--batch <records>", "records evaluated at once; the results do not depend on it", wholeNumber)
    .addHelpText(
      "after",
      `
A match is an alert (severity, message), a tag or a score; a transaction that the rule failed on has a line with "failure".

Examples:
  weir rule run big-approval.ts --watch
  weir rule run whale-transfer.ts --param 'threshold=5 ether'
  weir rule run watch-list.ts --list sanctioned=sanctioned.txt
  weir rule run big-approval.wasm blocks.ndjson.zst --json | jq -r .message`,
    )
    .action(async (file: string, recording: string, options: Options) => {
      const shows = options.json || !process.stdout.isTTY ? showLines : showTable;
      if (!options.watch) return void (await runOnce(await loadRule(file, options.param), recording, options, shows));
      let before: readonly string[] | undefined;
      for await (const _ of whenChanged(file)) {
        try {
          const rule = await loadRule(file, options.param);
          before = await runOnce(rule, recording, options, before ? showChanges(before, shows) : shows);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          process.stderr.write(`${error.message}\n`); // the next save may mend it
        }
        process.stderr.write(`watching ${file}; Ctrl-C ends it\n`);
      }
    });
}

/** How a run is shown: its lines as they come, its summary at the end. */
interface View {
  line(line: MatchLine): string;
  end(lines: readonly MatchLine[], result: RunResult): string;
}

/** @returns the lines as JSON */
async function runOnce(
  loaded: LoadedRule,
  recording: string,
  { batch, watch, list }: Options,
  view: View,
): Promise<string[]> {
  const kept: MatchLine[] = [];
  const keeps = watch || view === showTable;
  const progress = createProgress(`running ${loaded.rule.name} over ${relative(process.cwd(), recording)}`, "tx");
  // Counting the lines is a pass of its own, for the bar only.
  const total = process.stderr.isTTY ? (await inspectRecording(recording)).lines : 0;
  const failures = createFailureNotes(loaded.file);
  const began = performance.now();
  const lists = await listsOfFiles(loaded.rule, list);
  const result = await runRecording(loaded, recording, {
    lists,
    ...(batch === undefined ? {} : { batch }),
    async lines(found, decoded) {
      failures.note(found, decoded);
      if (keeps) for (const { line } of found) kept.push(line);
      await writeOut(found.map(({ line }) => view.line(line)).join(""));
    },
    progress: (done) => progress.update(done, total),
  });
  progress.end();
  const ms = performance.now() - began;
  if (result.transactions === 0) throw nothingThere(recording, result);
  await writeOut(view.end(kept, result));
  if (result.refused > 0)
    process.stderr.write(
      `${count(result.refused, "record")} could not be decoded; the first: ${result.firstRefused}\n`,
    );
  process.stderr.write(await failures.describe());
  if (process.stderr.isTTY) process.stderr.write(`${describeResult(result, ms)}\n`);
  return kept.map((line) => JSON.stringify(line));
}

const showLines: View = {
  line: (line) => `${JSON.stringify(line)}\n`,
  end: (_, { transactions, matches, traps, fuel }) =>
    `${JSON.stringify({ summary: { transactions, matches, traps, fuel } })}\n`,
};

const showTable: View = {
  line: () => "",
  end: (lines) => {
    if (lines.length === 0) return "no matches\n";
    const more = lines.length > SHOWN ? `… and ${group(lines.length - SHOWN)} more: --json has all\n` : "";
    return table(lines.slice(0, SHOWN).map(tableRow)) + more;
  },
};

const tableRow = ({ block_number, tx_hash, severity, message, tag, score, failure }: MatchLine) => ({
  block: block_number ?? "pending",
  transaction: `${tx_hash.slice(0, 10)}…`,
  what: severity ?? (tag === undefined ? (failure === undefined ? "score" : `FAILED ${failure}`) : "tag"),
  says: message ?? tag ?? score,
});

/** After the first run, what a change of the rule adds and drops. */
function showChanges(before: readonly string[], shows: View): View {
  return {
    line: () => "",
    end(lines, result) {
      const changes = compareLines(before, lines.map((line) => JSON.stringify(line))); // biome-ignore format: one expression
      const shown = shows === showTable && changes.length > SHOWN ? changes.slice(0, SHOWN) : changes;
      const text = shown.map(({ sign, line }) => `${sign} ${line}\n`).join("");
      const more = changes.length - shown.length;
      const rest = more > 0 ? `… and ${group(more)} more\n` : "";
      return `${text || "no match changed\n"}${rest}${shows === showTable ? "" : showLines.end(lines, result)}`;
    },
  };
}

function describeResult({ transactions, evaluations, matches, traps, fuel }: RunResult, ms: number): string {
  const each = evaluations === 0 ? "" : `, ${group(Math.round(fuel / evaluations))} each`;
  const seen =
    evaluations === 0
      ? "its filter let none of them through"
      : `${group(evaluations)} passed its filter, ${count(matches, "match")}`.replace(/matchs$/, "matches");
  return [
    `${count(transactions, "transaction")}: ${seen}, ${count(traps, "failure")}`,
    `fuel ${group(fuel)}${each}; ${(ms / 1000).toFixed(2)} s, decoding included`,
  ].join("\n");
}

function nothingThere(recording: string, { firstRefused }: RunResult): UserError {
  const state = firstRefused === undefined ? "it is empty" : `none of its lines is a transaction: ${firstRefused}`;
  return new UserError(`Cannot run a rule over "${recording}": ${state}, expected transactions as JSON, one a line`, {
    next: "npx weir record --help",
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_536)
    throw new InvalidArgumentError("Expected a whole number from 1 to 65536.");
  return value;
}
