/** What the commands of the archive share: the stores with their tables, the archive, and how a segment is shown. */
import { type Command, InvalidArgumentError } from "commander";
import { effective, type Manifest } from "../../../clickhouse/archive/manifest.ts";
import { type ArchiveFilter, type ArchiveReader, createArchiveReader } from "../../../clickhouse/archive/reader.ts";
import type { Store } from "../../../clickhouse/client.ts";
import { type Archive, requiredArchive } from "../../archive/settings.ts";
import type { Control } from "../../control/open.ts";
import type { Config } from "../../ops/config.ts";
import { UserError } from "../../ops/errors.ts";
import { createFailpoint, type Failpoint } from "../../ops/failpoint.ts";
import { loadConfiguration } from "../configuration.ts";
import { parseTime } from "../rule/history.ts";
import { openStores } from "../store.ts";
import { createProgress } from "../terminal.ts";

export interface OpenStores {
  readonly config: Config;
  readonly store: Store;
  readonly control: Control;
  readonly failpoint: Failpoint;
}

export interface OpenArchive extends OpenStores {
  readonly archive: Archive;
  readonly reader: ArchiveReader;
}

export async function withStores<T>(work: (open: OpenStores) => Promise<T>): Promise<T> {
  const { config } = loadConfiguration();
  const { store, control } = await openStores(config);
  try {
    return await work({ config, store, control, failpoint: createFailpoint(config.engine.failpoint) });
  } finally {
    await control.close();
    await store.close();
  }
}

/** @throws ConfigError when there is no archive */
export const withArchive = <T>(work: (open: OpenArchive) => Promise<T>): Promise<T> =>
  withStores(async (open) => {
    const archive = await requiredArchive(open.config, open.store);
    return work({ ...open, archive, reader: createArchiveReader(open.store, archive.place) });
  });

export async function withProgress<T>(
  label: string,
  unit: string,
  work: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress(label, unit);
  try {
    return await work(progress.update);
  } finally {
    progress.end();
  }
}

export interface PeriodOptions {
  readonly from?: Date;
  readonly to?: Date;
  readonly chain?: number;
}

export const withPeriod = (command: Command): Command =>
  command
    .option("--from <time>", "2024-06-01 or 2024-06-01T12:00:00Z (default: the oldest)", moment)
    .option("--to <time>", "up to and without this time (default: the newest)", moment)
    .option("--chain <id>", "of this chain", wholeNumber);

/** @throws UserError for a period without any time in it */
export function periodOf({ from, to, chain }: PeriodOptions): ArchiveFilter {
  if (from && to && from >= to)
    throw new UserError(
      `Cannot look from "${from.toISOString()}" to "${to.toISOString()}": the range is empty, expected a beginning before the end`,
    );
  return { since: from, until: to, chainId: chain };
}

export function moment(text: string): Date {
  const point = parseTime(text);
  if (point === undefined || !("at" in point))
    throw new InvalidArgumentError("Expected a time such as 2024-06-01 or 2024-06-01T12:00:00Z.");
  return new Date(point.at / 1_000);
}

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

/** Segments by their ids, or all of a period. @throws UserError for an id that is none */
export async function chosenSegments(
  { archive: { place }, reader }: OpenArchive,
  ids: readonly string[],
  period: PeriodOptions,
): Promise<Manifest[]> {
  if (ids.length === 0) return reader.segments(periodOf(period));
  const all = new Map(effective(await place.manifests()).map((segment) => [segment.id, segment]));
  return ids.map((id) => {
    const segment = all.get(id);
    if (segment) return segment;
    throw new UserError(
      `Cannot find segment "${id}" in ${place.where}: there is none, expected one of \`weir archive list\``,
    );
  });
}

/** As a row of a table. */
export function segmentRow({ id, source, tables, chains, late, format, compression }: Manifest) {
  const files = Object.values(tables);
  const sum = (of: (file: (typeof files)[number]) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  const times = (tables.transactions ? [tables.transactions] : files)
    .flatMap(({ first, last }) => [BigInt(first), BigInt(last)])
    .sort((a, b) => (a < b ? -1 : 1));
  return {
    segment: id,
    source,
    from: showTime(times[0]!),
    to: showTime(times.at(-1)!),
    chains: chains.join(","),
    transactions: tables.transactions?.rows ?? 0,
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    format: `${format} ${compression}`,
    late,
  };
}

/** Of µs; strangers' times may lie beyond what a Date can hold. */
export function showTime(micros: bigint): string {
  const date = new Date(Number(micros / 1_000n));
  return Number.isNaN(date.getTime()) ? `${micros} µs` : date.toISOString();
}
