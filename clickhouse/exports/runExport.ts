/**
 * An export from its beginning, or from where one that was interrupted had come to. What is done is written down beside the parts
 * that are whole (`state.json`), so after SIGKILL the same call goes on; nothing has its final name before all of it is there.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../engine/ops/errors.ts";
import { holdExclusively } from "../../engine/ops/exclusive.ts";
import type { Failpoint } from "../../engine/ops/failpoint.ts";
import { makeFolder } from "../../engine/ops/makeFolder.ts";
import { replaceFile } from "../../engine/ops/replaceFile.ts";
import type { Store } from "../client.ts";
import { ahead } from "./ahead.ts";
import { chooseColumns, exportColumns } from "./columns.ts";
import { datasetOf } from "./datasets.ts";
import { cannotWrite, stagedName } from "./folder.ts";
import { extensionOf, formatOf } from "./formats.ts";
import { openLanes } from "./lanes.ts";
import { type Manifest, manifestName, numberOf, type Part, partName } from "./manifest.ts";
import { partQuery } from "./partQuery.ts";
import type { Place } from "./place.ts";
import { type Plan, type PlanInput, planExport } from "./plan.ts";
import type { ExportSpec } from "./request.ts";
import { readTable, type StoredColumn } from "./storedTable.ts";
import { stopWriting } from "./storeWritten.ts";
import { partsTogether, writePart } from "./writePart.ts";

export interface ExportProgress {
  readonly rows: number;
  readonly totalRows: number;
  readonly bytes: number;
  readonly parts: number;
  readonly totalParts: number;
}

export interface ExportRun {
  readonly store: Store;
  readonly place: Place;
  readonly spec: ExportSpec;
  readonly signal?: AbortSignal | undefined;
  readonly failpoint?: Failpoint | undefined;
  onProgress?(progress: ExportProgress): void;
}

/** `manifest` is undefined when an incremental export found nothing new: then nothing is written. */
export interface ExportResult {
  readonly manifest: Manifest | undefined;
  /** Parts that an interrupted run had finished. */
  readonly resumed: number;
}

interface State {
  readonly spec: ExportSpec;
  readonly number: number;
  readonly startedAt: string;
  readonly plan: Plan;
  readonly done: readonly Part[];
}

/**
 * @throws UserError when the request, or what is in the place already, does not allow it, or the disk is full; StoreUnavailable,
 * StoreRefused; an AbortError. After any of them the same call goes on with the first part that is missing.
 */
export async function runExport(run: ExportRun): Promise<ExportResult> {
  const { store, place, spec } = run;
  const dataset = datasetOf(spec.dataset);
  const shape = await readTable(store, dataset);
  const input = { dataset, shape, spec };
  const columns = chooseColumns(dataset, exportColumns(shape), spec.columns ?? undefined);
  const staging = place.staging(dataset.name);
  try {
    await makeFolder(staging);
    const release = await holdExclusively(`${staging}.lock`, `export ${dataset.name} to "${place.name}"`);
    try {
      const last = await lastManifest(place, spec.dataset);
      const left = await readState(staging, run, last);
      const state = left ?? (await begin(run, input, last));
      if (state.plan.slices.length === 0 && spec.incremental) {
        await rm(staging, { recursive: true, force: true });
        return { manifest: undefined, resumed: 0 };
      }
      const parts = await writeParts(run, { input, columns, staging, state });
      const manifest = manifestOf(state, columns, parts);
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      await place.publish(parts, staging, { name: manifestName(dataset.name, state.number), text });
      await rm(staging, { recursive: true, force: true });
      return { manifest, resumed: left?.done.length ?? 0 };
    } finally {
      release();
    }
  } catch (error) {
    throw cannotWrite(place.name, error);
  }
}

async function begin({ store, spec }: ExportRun, input: PlanInput, last: Manifest | undefined): Promise<State> {
  const plan = await planExport(store, { ...input, since: last?.until ?? [] });
  return { spec, number: (last?.number ?? 0) + 1, startedAt: new Date().toISOString(), plan, done: [] };
}

/** @throws UserError unless what is there can be added to */
async function lastManifest(place: Place, dataset: string): Promise<Manifest | undefined> {
  const numbers = (await place.list(`${dataset}-`)).map((name) => numberOf(dataset, name) ?? 0);
  const number = Math.max(0, ...numbers);
  if (number === 0) return undefined;
  const name = manifestName(dataset, number);
  try {
    return JSON.parse(await place.read(name)) as Manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`Cannot export to "${place.name}": its ${name} is not JSON, expected a manifest of ours`, {
      next: "Choose another place",
    });
  }
}

/** The state of an export that was interrupted. @throws UserError when that was another one, or there is a whole one */
async function readState(
  staging: string,
  { place, spec }: ExportRun,
  last: Manifest | undefined,
): Promise<State | undefined> {
  const path = join(staging, "state.json");
  const left = existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as State) : undefined;
  // It got as far as its manifest, and was killed before it had tidied up.
  const state = left && left.number > (last?.number ?? 0) ? left : undefined;
  const cannot = `Cannot export ${spec.dataset} to "${place.name}"`;
  if (state && !isDeepStrictEqual(state.spec, spec))
    throw new UserError(
      `${cannot}: another export of it is unfinished there, expected the same options to go on with it`,
      {
        next: `Finish it with ${JSON.stringify(state.spec)}, or remove "${staging}" and begin anew`,
      },
    );
  if (state || last === undefined) return state;
  if (!spec.incremental)
    throw new UserError(`${cannot}: export ${last.number} of it is there already, expected a place without one`, {
      next: "Choose another place, or export incrementally what came since",
    });
  if (!isDeepStrictEqual(last.spec, spec))
    throw new UserError(`${cannot}: the exports there were made with other options, expected the same`, {
      next: `Use ${JSON.stringify(last.spec)}, or choose another place`,
    });
  return undefined;
}

interface Work {
  readonly input: PlanInput;
  readonly columns: readonly StoredColumn[];
  readonly staging: string;
  readonly state: State;
}

async function writeParts(run: ExportRun, { input, columns, staging, state }: Work): Promise<Part[]> {
  const { store, place, spec, signal, failpoint } = run;
  const { plan, number } = state;
  const { slices } = plan;
  const format = formatOf(spec.format);
  const extension = extensionOf(format, spec.compression);
  const done = [...state.done];
  const statePath = join(staging, "state.json");
  const fileOf = (i: number): string => partName(spec.dataset, number, i, slices[i]!.partition, extension);
  const stagedAt = (i: number): string => join(staging, stagedName(fileOf(i)));
  if (done.length === 0) await replaceFile(statePath, JSON.stringify(state));
  /** Bytes so far of the files that are being made. */
  const making = new Map<number, number>();
  const sum = (of: (part: Part) => number): number => done.reduce((total, part) => total + of(part), 0);
  const tell = (): void =>
    run.onProgress?.({
      ...{ rows: sum((part) => part.rows), parts: done.length, totalParts: slices.length },
      bytes: sum((part) => part.bytes) + [...making.values()].reduce((total, bytes) => total + bytes, 0),
      totalRows: slices.reduce((total, { rows }) => total + rows, 0),
    });
  tell();
  if (store.kind === "embedded") await stopWriting(store, resolve(staging)); // for a process that was killed
  for (const [i, part] of done.entries()) await place.take(part, stagedAt(i));
  const together = Math.min(partsTogether(format, spec.compression), Math.max(1, slices.length - done.length));
  const lanes = openLanes(resolve(staging));
  const queryOf = (i: number) => partQuery(input, columns, plan, slices[i], i === slices.length - 1);
  const make = async (i: number, stop: AbortSignal) =>
    writePart(stagedAt(i), {
      ...{ store, lanes, query: queryOf(i), columns, rows: slices[i]!.rows },
      ...{ format, compression: spec.compression, failpoint },
      threads: Math.max(1, Math.floor(availableParallelism() / together)),
      signal: signal ? AbortSignal.any([signal, stop]) : stop,
      onBytes(bytes) {
        making.set(i, bytes);
        tell();
      },
    });
  try {
    signal?.throwIfAborted();
    for await (const written of ahead({ first: done.length, end: slices.length, together }, make)) {
      const i = done.length;
      const { rows, first, last } = slices[i]!;
      const part = { file: fileOf(i), rows, ...written, first, last };
      await place.take(part, stagedAt(i));
      done.push(part);
      making.delete(i);
      await replaceFile(statePath, JSON.stringify({ ...state, done }));
      tell();
      signal?.throwIfAborted();
    }
  } finally {
    await lanes.close();
  }
  return done;
}

function manifestOf(
  { spec, number, startedAt, plan }: State,
  columns: readonly StoredColumn[],
  parts: readonly Part[],
): Manifest {
  return {
    version: 1,
    ...{ dataset: spec.dataset, number, spec, columns, since: plan.since, until: plan.until },
    ...{ started_at: startedAt, finished_at: new Date().toISOString() },
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    parts,
  };
}
