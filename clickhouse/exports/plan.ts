/**
 * What an export will write, decided before its first row is read, so that one that is resumed comes to the same: up to which
 * position of each source, and which rows go into which file.
 *
 * A row's position is (source, partition, offset), and rows of a partition are stored in the order of their offsets, however
 * old their blocks or times are. So "below these offsets" is a set of rows that stays as it is, and "since the last export" is
 * the rows from its offsets on: none is skipped and none is there twice, those that come late included.
 *
 *     offsets of a partition   0 ........ since ........ until ........ what is stored meanwhile
 *                              last export^  this export ^
 */
import type { Settings, Store } from "../client.ts";
import { blockStatus, paramsOf, where } from "../queries/list.ts";
import type { Condition } from "../queries/types.ts";
import { quoteName } from "../quote.ts";
import type { Dataset } from "./datasets.ts";
import type { ExportSpec, PartitionBy } from "./request.ts";
import { hasBlocks, type StoredColumn, type TableShape } from "./storedTable.ts";

/** Up to, not including. */
export interface Position {
  readonly source: string;
  readonly partition: number;
  /** decimal */
  readonly offset: string;
}

/** A bound of a file in the order of the table: its chain, if it is sorted by that, and µs since 1970 or the block's height. */
export type Key = readonly [chain: string, at: string];

export interface Slice {
  /** `date=2024-01-15`; empty without partition_by. */
  readonly partition: string;
  readonly first: Key;
  readonly last: Key;
  readonly rows: number;
}

export interface Plan {
  readonly since: readonly Position[];
  readonly until: readonly Position[];
  /** Blocks count as replaced that were by this offset of block_status. */
  readonly replacedUpTo: string;
  readonly slices: readonly Slice[];
}

/** Names in SQL of what a table is cut and sorted by. */
export interface Axes {
  readonly time: string;
  readonly chain: string | undefined;
  /** What files are ranges of: the sorting key's first time or number. */
  readonly cut: StoredColumn;
}

/** Buckets that a range is divided into at most before it is cut into files. */
const BUCKETS = 100_000;

export function axesOf({ columns, sortedBy }: TableShape): Axes {
  const find = (name: string | undefined) => columns.find((column) => column.name === name);
  const time = (find("event_time") ?? find("record_time"))!;
  const chain = sortedBy[0] === "chain_id" ? "chain_id" : undefined;
  const next = find(sortedBy[chain === undefined ? 0 : 1]);
  return { time: time.name, chain, cut: next && /^(DateTime64|UInt64)/.test(next.type) ? next : time };
}

/** @param since where the last export ended; empty for all rows */
export async function planExport(
  store: Store,
  { dataset, shape, spec, since }: PlanInput & { readonly since: readonly Position[] },
): Promise<Plan> {
  const bounds = await readBounds(store, { dataset, shape, spec }, since);
  const slices = bounds.until.length === 0 ? [] : await cut(store, { dataset, shape, spec }, bounds);
  return { ...bounds, slices: upTo(spec.limit ?? Number.POSITIVE_INFINITY, slices) };
}

/** Which rows the store has now. */
export type Bounds = Omit<Plan, "slices">;

export async function readBounds(store: Store, input: PlanInput, since: readonly Position[]): Promise<Bounds> {
  const until = await readUntil(store, input);
  const replacedUpTo = hasBlocks(input.shape.columns) ? await readReplaced(store) : "0";
  return { since, until, replacedUpTo };
}

export interface PlanInput {
  readonly dataset: Dataset;
  readonly shape: TableShape;
  readonly spec: ExportSpec;
}

/**
 * Where each partition ends now. What is exported only once ends before the first row that its chain could still replace: nothing
 * of it will have to be taken back.
 */
async function readUntil(store: Store, { dataset, shape, spec }: PlanInput): Promise<Position[]> {
  const ends = await store.rows<Position>(
    `SELECT source, partition, toString(max(offset) + 1) AS offset FROM ${quoteName(dataset.table)}
     GROUP BY source, partition ORDER BY source, partition`,
    {},
    planning(store),
  );
  if (!spec.incremental || !hasBlocks(shape.columns)) return ends;
  const conditions = [{ sql: `${blockStatus} = 'provisional'` }, ...chainsOf(spec)];
  const open = await store.rows<Position>(
    `SELECT t.source AS source, t.partition AS partition, toString(min(t.offset)) AS offset
     FROM ${quoteName(dataset.table)} AS t${where(conditions)} GROUP BY source, partition`,
    paramsOf(conditions),
  );
  const first = new Map(open.map((each) => [keyOf(each), each.offset]));
  return ends.map((end) => {
    const least = first.get(keyOf(end));
    return least !== undefined && BigInt(least) < BigInt(end.offset) ? { ...end, offset: least } : end;
  });
}

async function readReplaced(store: Store): Promise<string> {
  const [row] = await store.rows<{ offset: string }>("SELECT toString(max(offset) + 1) AS offset FROM replaced_blocks");
  return row!.offset;
}

const keyOf = ({ source, partition }: Omit<Position, "offset">): string => `${source}/${partition}`;

/** The rows of an export as conditions over the table as `t`. */
export function exportConditions(input: PlanInput, { since, until, replacedUpTo }: Bounds): Condition[] {
  return [
    ...askedFor(input),
    ...(hasBlocks(input.shape.columns)
      ? [
          {
            sql: `t.block_hash IS NULL OR (t.chain_id, assumeNotNull(t.block_hash)) NOT IN
    (SELECT chain_id, block_hash FROM replaced_blocks FINAL WHERE replaced = 1 AND offset < {replaced:UInt64})`,
            params: { replaced: replacedUpTo },
          },
        ]
      : []),
    ...positionConditions(since, until),
  ];
}

/** What the request says of rows. */
function askedFor({ dataset, shape, spec }: PlanInput): Condition[] {
  const { time } = axesOf(shape);
  const at = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;
  return [
    ...(dataset.where === undefined ? [] : [{ sql: dataset.where }]),
    ...chainsOf(spec),
    ...(spec.from === null ? [] : [{ sql: `t.${time} >= ${at("from")}`, params: { from: spec.from } }]),
    ...(spec.to === null ? [] : [{ sql: `t.${time} < ${at("to")}`, params: { to: spec.to } }]),
  ];
}

const chainsOf = ({ chains }: ExportSpec): Condition[] =>
  chains === null ? [] : [{ sql: "t.chain_id IN {chains:Array(UInt64)}", params: { chains } }];

/** A partition that is not in `since` begins at 0; one that is not in `until` has no row in it. */
function positionConditions(since: readonly Position[], until: readonly Position[]): Condition[] {
  const known = new Map(since.map((each) => [keyOf(each), each.offset]));
  const from = until.map((each) => ({ ...each, offset: known.get(keyOf(each)) ?? "0" }));
  const least = from.reduce((low, { offset }) => (BigInt(offset) < low ? BigInt(offset) : low), MAX_OFFSET);
  const sources = [...new Set(until.map(({ source }) => source))];
  // Sources are looked up by their dictionary, what they and the partition make in a table of hashes: for 17.4 million rows of 12
  // partitions 50 ms, where an array of arrays takes 165.
  const position = `transform(t.source, {sources:Array(String)}, arrayEnumerate({sources:Array(String)}), 0) * ${PARTITIONS} + t.partition`;
  const bound = (name: string) =>
    `transform(${position}, {positions:Array(UInt64)}, {${name}:Array(UInt64)}, toUInt64(0))`;
  const positions = until.map(({ source, partition }) => (sources.indexOf(source) + 1) * PARTITIONS + partition);
  const offsets = (of: readonly Position[]) => of.map(({ offset }) => BigInt(offset));
  return [
    { sql: `t.offset < ${bound("until")}`, params: { sources, positions, until: offsets(until) } },
    ...(since.length === 0
      ? []
      : [
          { sql: `t.offset >= ${bound("since")}`, params: { since: offsets(from) } },
          // the same for all: that is what the index of offsets understands
          { sql: "t.offset >= {least:UInt64}", params: { least } },
        ]),
  ];
}

/** More than a partition's number, a UInt16, can be. */
const PARTITIONS = 65_536;

const MAX_OFFSET = 2n ** 63n;

const PARTITION_VALUES: Readonly<Record<PartitionBy, (time: string) => string>> = {
  hour: (time) => `formatDateTime(t.${time}, '%Y-%m-%dT%H')`,
  date: (time) => `formatDateTime(t.${time}, '%Y-%m-%d')`,
  month: (time) => `formatDateTime(t.${time}, '%Y-%m')`,
  chain_id: () => "toString(t.chain_id)",
};

const partitionOf = (partitionBy: PartitionBy | null, { time }: Axes): string =>
  partitionBy === null ? "''" : `concat('${partitionBy}=', ${PARTITION_VALUES[partitionBy](time)})`;

const cutOf = ({ cut }: Axes): string =>
  cut.type.startsWith("DateTime64") ? `toUnixTimestamp64Micro(t.${cut.name})` : `toInt64(t.${cut.name})`;

/** Ranges of the table's order with about `partRows` rows each, cut between buckets. */
async function cut(store: Store, input: PlanInput, bounds: Bounds): Promise<Slice[]> {
  const { dataset, shape, spec } = input;
  const axes = axesOf(shape);
  const conditions = exportConditions(input, bounds);
  const at = cutOf(axes);
  const params = paramsOf(conditions);
  // Buckets need no exact range: what follows looks at each row again.
  const wide = askedFor(input);
  const [range] = await store.rows<{ low: string; high: string }>(
    `SELECT toString(min(${at})) AS low, toString(max(${at})) AS high FROM ${quoteName(dataset.table)} AS t${where(wide)}`,
    paramsOf(wide),
    planning(store),
  );
  const step = (BigInt(range!.high) - BigInt(range!.low)) / BigInt(BUCKETS) + 1n;
  const rows = await store.rows<{ partition: string; first: Key; last: Key; rows: string }>(
    `SELECT partition, [toString(min((chain, low)).1), toString(min((chain, low)).2)] AS first,
  [toString(max((chain, high)).1), toString(max((chain, high)).2)] AS last, toString(sum(size)) AS rows
FROM (
  SELECT *, intDiv(sum(size) OVER (PARTITION BY partition ORDER BY chain, bucket ROWS UNBOUNDED PRECEDING) - size, {part_rows:UInt64}) AS part
  FROM (
    SELECT ${partitionOf(spec.partitionBy, axes)} AS partition, ${axes.chain === undefined ? "toUInt64(0)" : "t.chain_id"} AS chain,
      intDiv(${at}, {step:Int64}) AS bucket, min(${at}) AS low, max(${at}) AS high, count() AS size
    FROM ${quoteName(dataset.table)} AS t${where(conditions)}
    GROUP BY partition, chain, bucket
  )
)
GROUP BY partition, part
ORDER BY partition, part`,
    { ...params, part_rows: spec.partRows, step: step.toString() },
    planning(store),
  );
  return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
}

/** An export may take hours; what it reads is bounded by the store's memory all the same. */
export const UNHURRIED = { max_execution_time: 0 } as const;

/**
 * Nothing is written meanwhile, so all cores may plan. By itself the embedded store takes another thread only where a GiB for it is free, which is more than
 * it may have; a server need not know the setting.
 */
const planning = ({ kind }: Store): Settings =>
  kind === "embedded" ? { ...UNHURRIED, max_threads_min_free_memory_per_thread: 0 } : UNHURRIED;

/** The rows of a file, in the order of the table. */
export function sliceConditions({ shape, spec }: PlanInput, { partition, first, last }: Slice): Condition[] {
  const axes = axesOf(shape);
  const at = (name: string) =>
    axes.cut.type.startsWith("DateTime64") ? `fromUnixTimestamp64Micro({${name}:Int64}, 'UTC')` : `{${name}:UInt64}`;
  const column = `t.${quoteName(axes.cut.name)}`;
  const [from, to] = [`${column} >= ${at("first")}`, `${column} <= ${at("last")}`];
  const chain = "t.chain_id";
  const between =
    axes.chain === undefined || first[0] === last[0]
      ? [{ sql: from }, { sql: to }, ...(axes.chain === undefined ? [] : [{ sql: `${chain} = {first_chain:UInt64}` }])]
      : [
          {
            sql: `(${chain} = {first_chain:UInt64} AND ${from}) OR (${chain} > {first_chain:UInt64} AND ${chain} < {last_chain:UInt64}) OR (${chain} = {last_chain:UInt64} AND ${to})`,
          },
        ];
  return [
    ...between,
    { sql: "1", params: { first: first[1], last: last[1], first_chain: first[0], last_chain: last[0] } },
    ...(spec.partitionBy === null
      ? []
      : [
          {
            sql: `${partitionOf(spec.partitionBy, axes)} = {partition_value:String}`,
            params: { partition_value: partition },
          },
        ]),
  ];
}

function upTo(limit: number, slices: readonly Slice[]): Slice[] {
  const taken: Slice[] = [];
  let left = limit;
  for (const slice of slices) {
    if (left === 0) break;
    const rows = Math.min(slice.rows, left);
    taken.push({ ...slice, rows });
    left -= rows;
  }
  return taken;
}
