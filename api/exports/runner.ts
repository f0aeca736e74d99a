/**
 * Makes exports that were asked for, one after the other, in one of all processes: who does holds the lease `exports`. What a killed process had
 * begun, the next goes on with (clickhouse/exports).
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Store, StoreUnavailable } from "../../clickhouse/client.ts";
import { openPlace } from "../../clickhouse/exports/openPlace.ts";
import { type ExportProgress, runExport } from "../../clickhouse/exports/runExport.ts";
import { JobHeld, runJob } from "../../engine/control/jobs.ts";
import type { Control } from "../../engine/control/open.ts";
import type { Config } from "../../engine/ops/config.ts";
import { messageOf, ServiceUnavailable, type WeirError } from "../../engine/ops/errors.ts";
import type { Log } from "../../engine/ops/log.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import { placeOf } from "./destination.ts";
import type { ExportRow, Exports } from "./exports.ts";

export interface RunnerOptions {
  readonly store: Store;
  readonly control: Control;
  readonly exports: Exports;
  readonly log: Log;
  readonly config: Pick<Config, "data" | "objectStore" | "exports">;
  /** How often it is asked whether there is anything to do. Default 2 s. */
  readonly askMs?: number;
}

/** How often progress is written down, and a cancellation noticed. */
const TELL_MS = 500;
const DAY_MS = 86_400_000;

export interface ExportRunner {
  /** Makes exports until the signal aborts: then the one that is under way stops, and goes on when somebody runs again. */
  run(signal: AbortSignal): Promise<void>;
  /** All that is to do now. @throws JobHeld while another process is at it; what the store or the control store throw */
  drain(signal: AbortSignal): Promise<void>;
}

export function createExportRunner({
  store,
  control,
  exports,
  log,
  config,
  askMs = 2_000,
}: RunnerOptions): ExportRunner {
  const { folder, days } = config.exports;

  async function drain(signal: AbortSignal): Promise<void> {
    if (!(await exports.isWork(new Date()))) return;
    await runJob(control, "exports", async (lost) => {
      const stop = AbortSignal.any([signal, lost]);
      await exports.queueDue(new Date());
      await removeOld(new Date(Date.now() - days * DAY_MS));
      for (let row = await exports.next(); row && !stop.aborted; row = await exports.next()) await make(row, stop);
    });
  }

  async function make(row: ExportRow, stop: AbortSignal): Promise<void> {
    const { id, spec, scheduleId, uploadTo } = row;
    const place = placeOf(row, folder);
    const cancelled = new AbortController();
    if (await exports.update(id, { status: "running", place, startedAt: row.startedAt ?? new Date() }))
      cancelled.abort();
    let told: ExportProgress | undefined;
    const tell = async (): Promise<void> => {
      if (!told) return;
      const { rows, totalRows, bytes } = told;
      if (await exports.update(id, { progress: { rows, total_rows: totalRows, bytes } })) cancelled.abort();
    };
    // The control store may be away for a while: the next one tells.
    const telling = setInterval(() => void tell().catch(() => {}), TELL_MS);
    try {
      const { manifest } = await runExport({
        ...{ store, spec, place: await openPlace(place, config) },
        signal: AbortSignal.any([stop, cancelled.signal]),
        onProgress: (progress) => void (told = progress),
      });
      const { rows = 0, bytes = 0, parts = [] } = manifest ?? {};
      const files = parts.map(({ file, rows, bytes, sha256 }) => ({ file, rows, bytes, sha256 }));
      const progress = { rows, total_rows: rows, bytes };
      await exports.update(id, { finishedAt: new Date(), status: "finished", progress, files, error: null });
      log.info({ event: "export_finished", export: id, rows, bytes, place }, "Exported");
    } catch (error) {
      const isCancelled = cancelled.signal.aborted;
      const passes = stop.aborted || error instanceof ServiceUnavailable || error instanceof StoreUnavailable;
      if (!isCancelled && passes) throw error; // it goes on when it is run again
      const ownFolder = scheduleId === null && uploadTo === null;
      if (ownFolder) await rm(place, { recursive: true, force: true });
      const words = [messageOf(error), (error as WeirError).next].filter(Boolean).join(". ");
      const end = isCancelled ? ({ status: "cancelled" } as const) : ({ status: "failed", error: words } as const);
      await exports.update(id, { finishedAt: new Date(), ...end });
      log.warn({ event: "export_ended", export: id, ...end }, "An export came to no end");
    } finally {
      clearInterval(telling);
    }
  }

  /** Files in a folder of ours go with their export; elsewhere they are somebody else's. */
  async function removeOld(before: Date): Promise<void> {
    for (const { id, scheduleId, uploadTo, place } of await exports.over(before)) {
      if (scheduleId === null && uploadTo === null && place) await rm(place, { recursive: true, force: true });
      await exports.forget(id);
    }
  }

  return {
    drain,
    async run(signal) {
      while (!signal.aborted) {
        try {
          await drain(signal);
        } catch (error) {
          if (!(error instanceof JobHeld) && !signal.aborted)
            logSeldom(log, "error", { event: "export_interrupted", reason: messageOf(error) }, "An export was interrupted; trying again"); // biome-ignore format: one line
        }
        await sleep(askMs, undefined, { signal }).catch(() => {}); // aborted: the loop ends
      }
    },
  };
}
