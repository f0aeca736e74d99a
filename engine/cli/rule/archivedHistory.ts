/** What of a history is not in the store any more, but in the archive. */
import { readColumns } from "../../../clickhouse/archive/columns.ts";
import { effective, type Manifest, mayHold } from "../../../clickhouse/archive/manifest.ts";
import type { ArchivePlace } from "../../../clickhouse/archive/place.ts";
import { withLate } from "../../../clickhouse/archive/restore.ts";
import { archivedRows } from "../../../clickhouse/archive/segmentFile.ts";
import type { Store } from "../../../clickhouse/client.ts";
import { rowsOf } from "../../sink/rangeBounds.ts";
import { IN_PERIOD, type Period, type Stretch } from "./stretch.ts";

/**
 * Stretches of positions of which the store lacks transactions of the period that the archive has: all of each is read from there.
 * What is in both is read from the store.
 */
export async function archivedStretches(store: Store, place: ArchivePlace, period: Period): Promise<Stretch[]> {
  const reads = store.readingFiles(place.prefix);
  const all = effective(await place.manifests());
  const within = { since: BigInt(period.from), until: BigInt(period.to) };
  const columns = (await readColumns(store)).get("transactions")!;
  const stretches: Stretch[] = [];
  for (const segment of all) {
    if (segment.late || !mayHold(segment, "transactions", within)) continue;
    const table = archivedRows(place, withLate([segment], all), "transactions", columns);
    const archived = await countIn(reads, table, segment, period);
    const stored = await countIn(reads, "transactions", segment, period);
    for (const { partition, from, to } of segment.ranges) {
      const rows = archived.get(partition) ?? 0;
      if (rows > (stored.get(partition) ?? 0))
        stretches.push({ source: segment.source, partition, first: from, end: to, rows, table, reads });
    }
  }
  return stretches;
}

/** Times of the oldest and the newest archived transaction, µs; undefined when there are none. */
export async function archivedSpan(place: ArchivePlace): Promise<{ first: number; last: number } | undefined> {
  const files = effective(await place.manifests()).flatMap(({ tables }) => tables.transactions ?? []);
  if (files.length === 0) return undefined;
  return {
    first: Math.min(...files.map(({ first }) => Number(first))),
    last: Math.max(...files.map(({ last }) => Number(last))),
  };
}

async function countIn(
  reads: Pick<Store, "rows">,
  table: string,
  { source, ranges }: Manifest,
  { from, to }: Period,
): Promise<Map<number, number>> {
  const { sql, params } = rowsOf(source, ranges);
  const rows = await reads.rows<{ partition: number; rows: string }>(
    `SELECT t.partition AS partition, count() AS rows FROM ${table} AS t WHERE ${sql} AND ${IN_PERIOD} GROUP BY partition`,
    { ...params, from: String(from), to: String(to) },
  );
  return new Map(rows.map(({ partition, rows }) => [partition, Number(rows)]));
}
