import { relative } from "node:path";
import type { Command } from "commander";
import { Interrupted } from "../ops/errors.ts";
import { loadConfiguration } from "./configuration.ts";
import { openHouse } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { type Replayed, replayRecording } from "./replayRecording.ts";
import { createProgress, group, table } from "./terminal.ts";

export function replayCommand(command: Command): void {
  command
    .argument("<file>", "recording: .ndjson, .ndjson.gz or .ndjson.zst")
    .option("--json", "the summary as one line of JSON")
    .option("--again", "a new run of a recording that is stored already")
    .addHelpText(
      "after",
      "\nExamples:\n  weir replay test/recordings/dex.ndjson.zst\n  weir replay blocks.ndjson.gz --json | jq .alerts",
    )
    .action(async (file: string, { json = false, again = false }: { json?: boolean; again?: boolean }) => {
      const { config } = loadConfiguration();
      const house = await openHouse(config);
      try {
        const replayed = await replayWithProgress(house, file, { again, signal: interrupted() });
        process.stdout.write(json || !process.stdout.isTTY ? `${summaryLine(replayed)}\n` : summaryTable(replayed));
        throwUnlessComplete(replayed);
      } finally {
        await house.close();
      }
    });
}

export async function replayWithProgress(
  house: Awaited<ReturnType<typeof openHouse>>,
  path: string,
  { again, signal }: { again: boolean; signal: AbortSignal },
): Promise<Replayed> {
  const progress = createProgress(`replaying ${relative(process.cwd(), path)}`, "tx");
  try {
    return await replayRecording({ house, path, again, signal, onProgress: progress.update });
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

/** The contract's last line. */
export const summaryLine = ({ summary, seconds, rate }: Replayed): string =>
  JSON.stringify({ ...summary, seconds, tx_per_s: rate });

export function summaryTable({ recording, summary, seconds, rate, alreadyStored }: Replayed): string {
  const alerts = Object.entries(summary.alerts);
  const total = alerts.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `  ${group(summary.transactions)} transactions in ${group(summary.blocks)} blocks, ${group(summary.dead_letters)} dead letters, ${group(total)} alerts`,
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
