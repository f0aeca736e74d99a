/**
 * What a segment of the archive says of itself: which positions it covers, which files it has, what is in them. It is written last, so what
 * has a manifest is whole; it is never changed.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { RangeBounds } from "../../engine/sink/rangeBounds.ts";

/** Pickle, which an earlier system had, runs code when it is read: there is none. */
export const FORMATS = ["parquet", "json"] as const;
export const COMPRESSIONS = ["gzip", "zstd", "snappy", "lz4", "none"] as const;
export type Format = (typeof FORMATS)[number];
export type Compression = (typeof COMPRESSIONS)[number];

const decimal = z.string().regex(/^-?\d{1,39}$/);
const count = z.int().min(0);
/** What becomes part of a path or of SQL. */
const name = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/);

const fileSchema = z.object({
  /** Its name in the segment's folder. */
  file: z.string().regex(/^[a-z_]{1,63}\.[a-z0-9.]{1,16}$/),
  rows: count,
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Sum of the rows' hashes (segmentFile.ts), decimal: the same whatever their order. */
  checksum: decimal,
  /** Least and greatest time of its rows, µs since 1970. */
  first: decimal,
  last: decimal,
  /** Of what it holds, as they were in the store. */
  columns: z.array(z.tuple([name, z.string().max(200)])).min(1),
});

/** What a segment is called. */
export const ID = /^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$/;

const manifestSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(ID),
  created_at: z.iso.datetime(),
  /** As in the column `source`. */
  source: z.string().max(1_000),
  /** All rows of these positions are in it, or the `late` ones, which came to positions that were archived before. */
  ranges: z.array(z.object({ partition: count, from: count, to: count })).min(1),
  late: z.boolean(),
  format: z.enum(FORMATS),
  compression: z.enum(COMPRESSIONS),
  /** Of its rows; empty when there are more than 100. */
  chains: z.array(decimal),
  /** By table; one without rows has none. */
  tables: z.record(name, fileSchema),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type SegmentFile = Readonly<z.infer<typeof fileSchema>>;

/** @throws Error naming the first thing that is wrong */
export function readManifest(text: string, where: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot read the manifest "${where}": ${(error as Error).message}`);
  }
  const read = manifestSchema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Error(
    `Cannot read the manifest "${where}": ${issue!.path.join(".")}: ${issue!.message}, expected one of version 1 as Weir wrote it`,
  );
}

/** Sorts by time; no two processes make the same. */
export const newId = (now: Date): string =>
  `${now.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(4).toString("hex")}`;

/**
 * The segments that count, oldest first. Positions are archived in their order, so one that begins before the end of an older one is a repeat,
 * as two runs at once could make it. Late rows are no second word on their positions.
 */
export function effective(manifests: readonly Manifest[]): Manifest[] {
  const ends = new Map<string, number>();
  return manifests.toSorted(byAge).filter(({ late, source, ranges }) => {
    if (late) return true;
    const keyOf = (partition: number): string => `${partition} ${source}`;
    if (ranges.some(({ partition, from }) => from < (ends.get(keyOf(partition)) ?? 0))) return false;
    for (const { partition, to } of ranges) ends.set(keyOf(partition), to);
    return true;
  });
}

/** Ids have seconds: of two that were made within one, as short ones are, the one whose positions come first is older. */
function byAge(a: Manifest, b: Manifest): number {
  const [second, other] = [secondOf(a), secondOf(b)];
  if (second !== other) return second < other ? -1 : 1;
  const [one, two] = [a.ranges[0]!, b.ranges[0]!];
  return one.partition - two.partition || one.from - two.from || (a.id < b.id ? -1 : 1);
}

const secondOf = ({ id }: Manifest): string => id.slice(0, id.indexOf("-"));

/** Positions of a source. */
export interface Positions {
  readonly source: string;
  readonly ranges: readonly RangeBounds[];
}

export const overlaps = (a: Positions, b: Positions): boolean =>
  a.source === b.source &&
  a.ranges.some((one) =>
    b.ranges.some((other) => one.partition === other.partition && one.from < other.to && other.from < one.to),
  );

/** Up to which offset each partition of a source is archived; from the first one on, without a gap, since that is how it is done. */
export function archivedTo(manifests: readonly Manifest[], source: string): Map<number, number> {
  const ends = new Map<number, number>();
  for (const manifest of manifests)
    if (manifest.source === source && !manifest.late)
      for (const { partition, to } of manifest.ranges) ends.set(partition, Math.max(to, ends.get(partition) ?? 0));
  return ends;
}

/** Positions of all segments of a source as few ranges as can be, by partition and offset. */
export function unite(ranges: readonly RangeBounds[]): RangeBounds[] {
  const united: RangeBounds[] = [];
  for (const range of ranges.toSorted((a, b) => a.partition - b.partition || a.from - b.from)) {
    const last = united.at(-1);
    if (last && last.partition === range.partition && range.from <= last.to)
      united[united.length - 1] = { ...last, to: Math.max(last.to, range.to) };
    else united.push(range);
  }
  return united;
}

/** Whether rows of a table in it may be of the period and chain; µs since 1970, `until` not included. */
export function mayHold(
  { tables, chains }: Manifest,
  table: string,
  { since, until, chainId }: { since?: bigint | undefined; until?: bigint | undefined; chainId?: number | undefined },
): boolean {
  const file = tables[table];
  return (
    file !== undefined &&
    (since === undefined || BigInt(file.last) >= since) &&
    (until === undefined || BigInt(file.first) < until) &&
    (chainId === undefined || chains.length === 0 || chains.includes(String(chainId)))
  );
}
