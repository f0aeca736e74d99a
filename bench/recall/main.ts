/**
 * `npm run recall [-- RECORDING EXPECTED]`: what the detectors find in real blocks, beside what an established inspector found there, a
 * table a kind and a line a difference with the judgement on it (judgements.json). Default: the blocks beside the checkout.
 *
 * Exit codes: 0 all is found or judged, 1 something is missed, false, or not judged, 2 usage.
 */
import { existsSync, readFileSync } from "node:fs";
import { table } from "../../engine/cli/terminal.ts";
import { describeError, EXIT, exitCodeOf, UsageError } from "../../engine/ops/errors.ts";
import { detectAll } from "./detectAll.ts";
import { compare, isGood, type Line, type Recall } from "./recall.ts";
import { REFERENCE, readJudgements } from "./reference.ts";

try {
  const [recording = REFERENCE.recording, expectedFile = REFERENCE.expected, ...others] = process.argv.slice(2);
  if (others.length > 0) throw new UsageError(`Cannot take "${others.join(" ")}": expected RECORDING and EXPECTED`);
  for (const file of [recording, expectedFile])
    if (!existsSync(file)) throw new UsageError(`Cannot read "${file}": there is no such file`);
  const lines = readFileSync(expectedFile, "utf8").trim().split("\n");
  const expected = lines.map((line) => JSON.parse(line) as Line);
  const recalls = compare(expected, await detectAll(recording), readJudgements());
  process.stdout.write(`${table(recalls.map(row))}\n${recalls.flatMap(describe).join("\n")}\n`);
  process.exitCode = isGood(recalls) ? EXIT.ok : EXIT.refused;
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

function row({ kind, expected, equal, differences }: Recall) {
  const count = (how: string, verdict?: string): number =>
    differences.filter((each) => each.how === how && (verdict === undefined || each.verdict === verdict)).length;
  const missed = count("missed");
  return {
    kind,
    expected,
    found: expected - missed,
    equal,
    "differs, judged ours": count("differs", "ours"),
    "missed: trace only": count("missed", "trace"),
    "missed: ours": missed - count("missed", "trace"),
    extra: count("extra"),
    "extra, true": count("extra", "ours"),
    "extra, false": count("extra", "false"),
    "not judged": differences.filter(({ verdict }) => verdict === undefined).length,
    "recall %": expected === 0 ? "" : (((expected - missed) * 100) / expected).toFixed(1),
  };
}

function describe({ differences }: Recall): string[] {
  return differences.map(({ how, place, fields, verdict, reason }) =>
    [`${verdict ?? "NOT JUDGED"}  ${how}  ${place}`, ...fields.map((field) => `  ${field}`), `  ${reason}`].join("\n"),
  );
}
