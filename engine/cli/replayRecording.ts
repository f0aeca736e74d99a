import { join } from "node:path";
import { holdExclusively } from "../ops/exclusive.ts";
import { createFileLedger } from "../sink/fileLedger.ts";
import { createRecordingSource, inspectRecording, type Recording } from "../source/recording.ts";
import type { House } from "./house.ts";
import { type Summary, summarize } from "./summary.ts";

export interface ReplayOptions {
  readonly house: House;
  readonly path: string;
  /** Run a recording that is stored already once more, as a run of its own. */
  readonly again: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Replayed {
  readonly recording: Recording;
  /** The `source` its rows carry. */
  readonly source: string;
  readonly alreadyStored: boolean;
  readonly complete: boolean;
  readonly summary: Summary;
  readonly seconds: number;
  /** Transactions a second of this run; 0 when there was nothing left to do. */
  readonly rate: number;
}

/** Puts a recording through the engine, from where an earlier run left off. */
export async function replayRecording({ house, path, again, signal, onProgress }: ReplayOptions): Promise<Replayed> {
  const recording = await inspectRecording(path);
  // Two at once would each cut ranges of their own, and store everything twice.
  const lock = join(house.config.data, "ledger", `${recording.sha256}.lock`);
  const release = await holdExclusively(lock, `replay "${path}"`);
  try {
    return await replayHeld({ house, path, again, signal, onProgress }, recording);
  } finally {
    release();
  }
}

async function replayHeld(
  { house, again, signal, onProgress }: ReplayOptions,
  recording: Recording,
): Promise<Replayed> {
  const run = await findRun(house, recording, again);
  const ran = await runFile({ house, recording, ...run, signal, onProgress });
  return {
    ...ran,
    recording,
    source: run.source,
    alreadyStored: run.stored,
    summary: await summarize(house.store, [run.source]),
  };
}

export interface FileRun {
  readonly house: House;
  readonly recording: Pick<Recording, "path" | "lines">;
  /** The `source` its rows carry. */
  readonly source: string;
  readonly ledgerPath: string;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** What a line holds; default: a transaction. */
  readonly read?: Parameters<typeof createRecordingSource>[2];
}

/** Puts the lines of a file through the engine, from where its ledger stands; nothing when that is the end. */
export async function runFile(run: FileRun): Promise<Pick<Replayed, "complete" | "seconds" | "rate">> {
  const { house, recording, source, ledgerPath, signal, onProgress, read } = run;
  const position = await positionOf(ledgerPath, source, recording.lines);
  const began = performance.now();
  let transactions = 0;
  let { published } = position;
  onProgress?.(published, recording.lines);
  if (!position.stored) {
    const ledger = createFileLedger(ledgerPath, source);
    await house.engine.run(
      async () => ({ source: createRecordingSource(recording, source, read), ledger, close: async () => {} }),
      signal,
      {
        published(outcomes) {
          for (const { batch, outcome } of outcomes) {
            transactions += outcome.transactions;
            published = Math.max(published, batch.to);
          }
          onProgress?.(published, recording.lines);
        },
      },
    );
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    complete: published >= recording.lines,
    seconds: Math.round(seconds * 1000) / 1000,
    rate: position.stored ? 0 : Math.round(transactions / seconds),
  };
}

/** How far a file has come, and whether all of it is in the store. */
export async function positionOf(
  ledgerPath: string,
  source: string,
  lines: number,
): Promise<{ published: number; stored: boolean }> {
  const state = (await createFileLedger(ledgerPath, source).read([0])).get(0);
  return {
    published: state?.published ?? 0,
    stored: state !== undefined && state.ranges.length === 0 && state.stored >= lines,
  };
}

/** The run to go on with: the last one, or with `again` the first that is not there yet. */
async function findRun(house: House, recording: Recording, again: boolean) {
  for (let number = 1; ; number++) {
    const source = `recording:${recording.sha256}${number === 1 ? "" : `#${number}`}`;
    const ledgerPath = join(house.config.data, "ledger", `${recording.sha256}-${number}.json`);
    const { stored } = await positionOf(ledgerPath, source, recording.lines);
    if (!stored || !again) return { source, ledgerPath, stored };
  }
}
