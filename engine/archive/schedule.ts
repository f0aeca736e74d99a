/** Runs the time machine every ARCHIVE_INTERVAL_HOURS, in one of all processes: whoever asks first when it is due. */
import type { Store } from "../../clickhouse/client.ts";
import { JobHeld } from "../control/jobs.ts";
import type { Control } from "../control/open.ts";
import type { Config } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { runArchive } from "./run.ts";
import { configuredArchive, retentionBefore } from "./settings.ts";

export interface ScheduleOptions {
  readonly config: Config;
  readonly store: Store;
  readonly control: Control;
  readonly log: Log;
  /** How often it is asked whether a run is due. Default 60 s. */
  readonly askMs?: number;
}

const ASK_MS = 60_000;
const HOUR_S = 3_600;

export interface Schedule {
  /** Ends a run that is under way at its next step, and waits for that. */
  close(): Promise<void>;
}

/** Nothing runs where neither an archive nor a retention is configured. @throws ConfigError when what is configured cannot be */
export async function scheduleArchive(options: ScheduleOptions): Promise<Schedule> {
  const { config, store, control, log, askMs = ASK_MS } = options;
  if ((await configuredArchive(config, store)) === undefined && retentionBefore(config, new Date()).size === 0)
    return { close: async () => {} };
  const stop = new AbortController();
  const everySeconds = config.archive.intervalHours * HOUR_S;
  let running: Promise<void> | undefined;
  const ask = (): void => {
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(ask, askMs);
  timer.unref();
  ask();

  async function run(): Promise<void> {
    try {
      const run = await runArchive({ config, store, control, signal: stop.signal, everySeconds });
      if (run === undefined) return;
      const segments = run.segments.map(({ id }) => id);
      log.info(
        { event: "archive_run", segments, late: run.late.length, removed: run.removed },
        "Archived what was stored",
      );
    } catch (error) {
      if (error instanceof JobHeld || stop.signal.aborted) return;
      const reason = messageOf(error);
      logSeldom(log, "error", { event: "archive_failed", reason }, "Archiving failed; trying again within a minute");
    }
  }

  return {
    async close() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
