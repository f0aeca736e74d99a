/** What backtest and diff share: the options, the store, the history with its progress bar. */
import { type Command, InvalidArgumentError } from "commander";
import { configuredArchive } from "../../archive/settings.ts";
import type { Decoded } from "../../worker/decode.ts";
import { loadConfiguration } from "../configuration.ts";
import { openStoreOnly } from "../store.ts";
import { createProgress } from "../terminal.ts";
import { openHistory, parseTime, periodOf, type TimePoint } from "./history.ts";
import { recordingBatches } from "./recordingBatches.ts";
import type { Period } from "./stretch.ts";

export interface HistoryOptions {
  readonly from?: TimePoint;
  readonly to?: TimePoint;
  readonly recording?: string;
  readonly json?: boolean;
}

export const withHistoryOptions = (command: Command): Command =>
  command
    .option(
      "--from <time>",
      "2024-06-01, 2024-06-01T12:00:00Z, or -24h: before the newest (default: the oldest stored)",
      time,
    )
    .option("--to <time>", "up to and without this time (default: all)", time)
    .option("--recording <file>", "over a recording instead of the store")
    .option("--json", "JSON lines: matches, then a summary");

function time(text: string): TimePoint {
  const point = parseTime(text);
  if (!point) throw new InvalidArgumentError("Expected a time such as 2024-06-01, 2024-06-01T12:00:00Z or -24h.");
  return point;
}

/**
 * Hands all batches to `evaluate`, in the order of their positions.
 * @returns the period that was asked for; of a recording there is none
 */
export async function overHistory(
  label: string,
  { from, to, recording }: HistoryOptions,
  evaluate: (decoded: Decoded) => Promise<void>,
): Promise<Period | undefined> {
  if (recording !== undefined) {
    for await (const { decoded } of recordingBatches(recording)) await evaluate(decoded);
    return undefined;
  }
  const { config } = loadConfiguration();
  const store = await openStoreOnly(config);
  const progress = createProgress(label, "tx");
  try {
    const archive = (await configuredArchive(config, store))?.place;
    const period = await periodOf(store, { ...(from && { from }), ...(to && { to }) }, archive);
    const history = await openHistory(store, period, archive);
    let done = 0;
    for await (const decoded of history.batches()) {
      await evaluate(decoded);
      done += decoded.count;
      progress.update(done, history.transactions);
    }
    return period;
  } finally {
    progress.end();
    await store.close();
  }
}
