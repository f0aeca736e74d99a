/** One run of the time machine: archives what was stored since the last, then removes what is older than its retention. */
import { type Cleaned, cleanStore } from "../../clickhouse/archive/clean.ts";
import type { Manifest } from "../../clickhouse/archive/manifest.ts";
import { writeArchive } from "../../clickhouse/archive/write.ts";
import type { Store } from "../../clickhouse/client.ts";
import { type JobOptions, runJob } from "../control/jobs.ts";
import type { Control } from "../control/open.ts";
import type { Config } from "../ops/config.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import { closeHours } from "../statistics/closeHours.ts";
import { storedPositions } from "./positions.ts";
import { configuredArchive, retentionBefore } from "./settings.ts";

/** Name of the work, of which one process does any at a time: whatever writes to the archive or removes what it has. */
export const ARCHIVE_JOB = "archive";

export interface RunOptions extends JobOptions {
  readonly config: Config;
  readonly store: Store;
  readonly control: Control;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
  /** Of the part that archives; in transactions. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly failpoint?: Failpoint;
}

export interface Run extends Cleaned {
  readonly segments: readonly Manifest[];
}

/**
 * @returns undefined when there is nothing to do: no archive and no retention, or it was run less than `everySeconds` ago
 * @throws JobHeld while another process is at it; StoreUnavailable, ControlUnavailable, KafkaError
 */
export async function runArchive(options: RunOptions): Promise<Run | undefined> {
  const { config, store, control, signal, onProgress, failpoint, now = () => new Date() } = options;
  const archive = await configuredArchive(config, store);
  const before = retentionBefore(config, now());
  if (archive === undefined && before.size === 0) return undefined;
  const ran = await runJob(
    control,
    ARCHIVE_JOB,
    async (lost) => {
      const stop = AbortSignal.any([signal, lost]);
      const positions = await storedPositions(config);
      const written = { store, positions, now, signal: stop, ...(failpoint && { failpoint }) };
      const segments = archive ? await writeArchive({ ...written, ...archive, ...(onProgress && { onProgress }) }) : [];
      await closeHours(store, failpoint); // of an hour that is closed rows may go
      const cleaned =
        before.size === 0 || stop.aborted
          ? { removed: {}, late: [], kept: [] }
          : await cleanStore({ ...written, archive, before });
      return { segments, ...cleaned };
    },
    options,
  );
  return ran?.result;
}
