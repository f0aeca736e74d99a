/** What an export wrote: a JSON file beside its parts, put there last. Where it is, the export is whole. */

import type { Key, Position } from "./plan.ts";
import type { ExportSpec } from "./request.ts";
import type { StoredColumn } from "./storedTable.ts";

export interface Part {
  /** Path below the place of the export. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of the file, hex. */
  readonly sha256: string;
  readonly first: Key;
  readonly last: Key;
}

export interface Manifest {
  readonly version: 1;
  readonly dataset: string;
  /** Counts the exports of a dataset into one place, from 1 on. */
  readonly number: number;
  readonly spec: ExportSpec;
  /** With the store's types and comments, which have the units. */
  readonly columns: readonly StoredColumn[];
  /** Its rows: from `since` on, before `until`, of each partition of each source. */
  readonly since: readonly Position[];
  readonly until: readonly Position[];
  readonly started_at: string;
  readonly finished_at: string;
  readonly rows: number;
  readonly bytes: number;
  readonly parts: readonly Part[];
}

const digits = (number: number, width: number): string => String(number).padStart(width, "0");

/** `swaps-000001.manifest.json` */
export const manifestName = (dataset: string, number: number): string =>
  `${dataset}-${digits(number, 6)}.manifest.json`;

/** The number in a manifest's name; undefined for other files, and for those of other datasets. */
export function numberOf(dataset: string, name: string): number | undefined {
  const [, found, number] = /^(.+)-(\d{6,})\.manifest\.json$/.exec(name) ?? [];
  return found === dataset ? Number(number) : undefined;
}

/** `date=2024-01-15/swaps-000001-00001.parquet`: no two exports into one place have the same. */
export function partName(dataset: string, number: number, index: number, partition: string, extension: string): string {
  const name = `${dataset}-${digits(number, 6)}-${digits(index + 1, 5)}.${extension}`;
  return partition === "" ? name : `${partition}/${name}`;
}
