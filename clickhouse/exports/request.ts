/** What an export is asked for, and what may be asked. */
import { UserError } from "../../engine/ops/errors.ts";
import { datasetOf } from "./datasets.ts";
import { type Compression, formatNames, formatOf } from "./formats.ts";

export const PARTITIONS = ["hour", "date", "month", "chain_id"] as const;
export type PartitionBy = (typeof PARTITIONS)[number];

/** As it comes from a command line or a request; what is left out has its default. */
export interface ExportOptions {
  readonly dataset: string;
  readonly format: string;
  readonly compression?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  /** Only these chains. */
  readonly chains?: readonly number[] | undefined;
  /** From this event time on. */
  readonly from?: Date | undefined;
  /** Before this event time. */
  readonly to?: Date | undefined;
  /** Rows at most, the first ones in the order of the table. */
  readonly limit?: number | undefined;
  readonly partitionBy?: string | undefined;
  /** Rows of a file at most, but for those of one block or minute, which are never in two. */
  readonly partRows?: number | undefined;
  /** What came since the last export into the same place. */
  readonly incremental?: boolean | undefined;
}

/** Checked; plain data, so that two are equal when their JSON is. Times in ms since 1970. */
export interface ExportSpec {
  readonly dataset: string;
  readonly format: string;
  readonly compression: Compression;
  readonly columns: readonly string[] | null;
  readonly chains: readonly number[] | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly limit: number | null;
  readonly partitionBy: PartitionBy | null;
  readonly partRows: number;
  readonly incremental: boolean;
}

export const MAX_LIMIT = 1_000_000_000_000;
export const [MIN_PART_ROWS, DEFAULT_PART_ROWS, MAX_PART_ROWS] = [1, 1_000_000, 100_000_000];
export const MAX_CHAINS = 1_024;
export const MAX_COLUMNS = 1_024;

/** @throws UserError for the first thing that cannot be exported so */
export function exportSpec(options: ExportOptions): ExportSpec {
  const { columns, chains, from, to, limit, partRows = DEFAULT_PART_ROWS, incremental = false } = options;
  datasetOf(options.dataset);
  const format = oneOf("the format", options.format, formatNames());
  const { compressions } = formatOf(format);
  const compression = oneOf(`${format} compressed with`, options.compression ?? compressions[0]!, compressions);
  const partitionBy =
    options.partitionBy === undefined ? null : oneOf("files partitioned by", options.partitionBy, PARTITIONS);
  few("columns", columns, MAX_COLUMNS);
  few("chains", chains, MAX_CHAINS);
  if (from && to && from >= to)
    throw new UserError(
      `Cannot export from "${from.toISOString()}" to "${to.toISOString()}": the range is empty, expected a beginning before the end`,
    );
  if (limit !== undefined) whole("limit", limit, 1, MAX_LIMIT);
  if (limit !== undefined && incremental)
    throw new UserError(
      'Cannot export a limit of what is new: the rest would never be exported, expected "limit" or "incremental"',
    );
  whole("part_rows", partRows, MIN_PART_ROWS, MAX_PART_ROWS);
  return {
    ...{ dataset: options.dataset, format, compression, partitionBy, partRows, incremental },
    columns: columns ?? null,
    chains: chains ?? null,
    from: from?.getTime() ?? null,
    to: to?.getTime() ?? null,
    limit: limit ?? null,
  };
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new UserError(
    `Cannot export ${what} "${value.slice(0, 100)}": it is not known, expected one of ${allowed.join(", ")}`,
  );
}

function few(what: string, values: readonly unknown[] | undefined, most: number): void {
  if (values === undefined || (values.length > 0 && values.length <= most)) return;
  throw new UserError(`Cannot export "${values.length}" ${what}: expected 1 to ${most}`);
}

function whole(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new UserError(
    `Cannot export with ${what} "${value}": it is out of range, expected an integer from ${least} to ${most}`,
  );
}
