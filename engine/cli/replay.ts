import { relative } from "node:path";
import type { Command } from "commander";
import { Interrupted, UsageError, UserError } from "../ops/errors.ts";
import { closeHours } from "../statistics/closeHours.ts";
import { loadConfiguration } from "./configuration.ts";
import { type House, openHouse } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { type PutBack, replayDeadLetters } from "./replayDeadLetters.ts";
import { type Replayed, replayRecording } from "./replayRecording.ts";
import { count, createProgress, group, table } from "./terminal.ts";

interface ReplayFlags {
  readonly json?: boolean;
  readonly again?: boolean;
  readonly deadLetters?: boolean;
}

export function replayCommand(command: Command): void {
  command
    .argument("[file]", "recording: .ndjson, .ndjson.gz or .ndjson.zst")
    .option("--json", "the summary as one line of JSON")
    .option("--again", "a new run of a recording that is stored already")
    .option("--dead-letters", "instead of a file: what could not be decoded and now can, from the bytes that were kept")
    .addHelpText(
      "after",
      `
Examples:
  weir replay test/recordings/dex.ndjson.gz
  weir replay blocks.ndjson.gz --json | jq .alerts
  WEIR_CHAINS=1,10,999 weir replay --dead-letters       # transactions of chain 999 were refused before

Dead letters are put back once, however often this is called. Those that still cannot be decoded stay as they are.`,
    )
    .action(async (file: string | undefined, { json = false, again = false, deadLetters = false }: ReplayFlags) => {
      if ((file === undefined) !== deadLetters)
        throw new UsageError("Cannot replay: expected a recording or --dead-letters, one of them");
      if (deadLetters && again)
        throw new UsageError("Cannot replay dead letters --again: what is put back once is not put back twice");
      const { config } = loadConfiguration();
      const house = await openHouse(config);
      const asLine = json || !process.stdout.isTTY;
      try {
        if (file === undefined) {
          const putBack = await putBackWithProgress(house, interrupted());
          process.stdout.write(asLine ? `${putBackLine(putBack)}\n` : putBackTable(putBack));
          return;
        }
        const replayed = await replayWithProgress(house, file, { again, signal: interrupted() });
        process.stdout.write(asLine ? `${summaryLine(replayed)}\n` : summaryTable(replayed));
        throwUnlessComplete(replayed);
        throwUnlessAny(replayed);
      } finally {
        await house.close();
      }
    });
}

async function putBackWithProgress(house: House, signal: AbortSignal): Promise<PutBack> {
  const progress = createProgress("putting back dead letters", "letters");
  try {
    return await replayDeadLetters({ house, signal, onProgress: progress.update });
  } finally {
    progress.end();
  }
}

const putBackLine = ({ letters, summary, seconds, rate }: PutBack): string =>
  JSON.stringify({ ...letters, ...summary, seconds, tx_per_s: rate });

function putBackTable({ letters, summary }: PutBack): string {
  const alerts = Object.values(summary.alerts).reduce((sum, count) => sum + count, 0);
  const failing = Object.entries(letters.still_failing);
  const lines = [
    `  ${count(letters.put_back, "dead letter")} put back: ${count(summary.transactions, "transaction")}, ${count(alerts, "alert")}`,
  ];
  if (letters.already > 0) lines.push(`  ${group(letters.already)} put back before`);
  if (failing.length > 0)
    lines.push(`  still not decodable: ${failing.map(([reason, n]) => `${reason} ${group(n)}`).join(", ")}`);
  if (letters.of_rules > 0)
    lines.push(`  ${count(letters.of_rules, "letter")} of rules that failed: their transactions are stored`);
  return `${lines.join("\n")}\n`;
}

export async function replayWithProgress(
  house: House,
  path: string,
  { again, signal }: { again: boolean; signal: AbortSignal },
): Promise<Replayed> {
  const progress = createProgress(`replaying ${relative(process.cwd(), path)}`, "tx");
  try {
    const replayed = await replayRecording({ house, path, again, signal, onProgress: progress.update });
    await closeHours(house.store);
    return replayed;
  } finally {
    progress.end();
  }
}

export function throwUnlessComplete({ complete, recording }: Replayed): void {
  if (!complete)
    throw new Interrupted(`Stopped "${recording.path}" before its end`, {
      next: "The same command goes on from there",
    });
}

/** One transaction among garbage is a recording; none is a mistake that a script must notice. */
function throwUnlessAny({ recording: { path, lines }, summary, source }: Replayed): void {
  if (summary.transactions > 0) return;
  const state = lines === 0 ? "it is empty" : `none of its ${count(lines, "line")} is a transaction`;
  throw new UserError(`Cannot replay "${path}": ${state}, expected transactions as JSON, one a line`, {
    ...(lines > 0 && {
      next: `npx weir sql "select reason, any(detail), count() from dead_letters where source = '${source}' group by reason"`,
    }),
  });
}

/** The contract's last line. */
export const summaryLine = ({ summary, seconds, rate }: Replayed): string =>
  JSON.stringify({ ...summary, seconds, tx_per_s: rate });

/** Kinds of findings in more than one, where that is not an `s` more. */
const PLURALS: Readonly<Record<string, string>> = {
  router_arbitrage: "routed trades",
  sandwich: "sandwiches",
  jit: "positions of JIT liquidity",
  attempt: "failed attempts",
};

export function summaryTable({ recording, summary, seconds, rate, alreadyStored }: Replayed): string {
  const alerts = Object.entries(summary.alerts);
  const total = alerts.reduce((sum, [, count]) => sum + count, 0);
  const found = Object.entries(summary.findings).map(([kind, n]) => `${group(n)} ${PLURALS[kind] ?? `${kind}s`}`);
  const lines = [
    `  ${count(summary.transactions, "transaction")} in ${count(summary.blocks, "block")}, ${count(summary.dead_letters, "dead letter")}, ${count(total, "alert")}`,
    ...(found.length > 0 ? [`  ${found.join(", ")}`] : []),
    alreadyStored
      ? `  already stored: nothing was done; npx weir replay ${relative(process.cwd(), recording.path)} --again makes a new run`
      : `  ${seconds.toFixed(1)} s, ${group(rate)} tx/s`,
    "",
  ];
  if (summary.dead_letters > 0)
    lines.push('  why: npx weir sql "select reason, count() from dead_letters group by reason"', "");
  if (alerts.length > 0) lines.push(table(alerts.map(([rule, count]) => ({ rule, alerts: count }))));
  return `${lines.join("\n")}\n`;
}
