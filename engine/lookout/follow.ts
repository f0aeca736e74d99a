/** What an engine does with its chains' coverage while it runs, every few seconds: watchers write it down, here it is used. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import type { Control } from "../control/open.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import { createCoverageMirror } from "./mirror.ts";

export interface CoverageOptions {
  readonly control: Control;
  readonly store: Store;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Two reads of some rows. Watchers write as often. */
const LOOK_MS = 5_000;

/** Runs until the signal aborts; whatever is away is waited for. */
export async function followCoverage({ control, store, log, signal }: CoverageOptions): Promise<void> {
  const mirror = createCoverageMirror(control, store);
  while (!signal.aborted) {
    try {
      await mirror();
    } catch (error) {
      const reason = messageOf(error);
      logSeldom(log, "warn", { event: "coverage_unread", reason }, "Cannot follow what is covered; trying again");
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {}); // aborted: the loop's head ends it
  }
}
