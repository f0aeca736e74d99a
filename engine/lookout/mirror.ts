/**
 * Copies into ClickHouse when pending transactions were seen. It is known in the control store; "never seen pending" is asked of history,
 * where an analyst has SQL over transactions and nothing else.
 */
import type { Store } from "../../clickhouse/client.ts";
import { and, asc, gt, sql } from "../control/drizzle.ts";
import type { Control } from "../control/open.ts";
import { pendingCoverage } from "../control/schema.ts";

/** An interval that was not moved on for so long does not change any more: a watcher moves it on every few seconds. */
const SETTLED = "1 hour";
/** In one statement: its parameters are part of a request. */
const MOST_ROWS = 1_000;

/**
 * @returns copies what has changed since the call before, the first time everything, and says how many intervals. What is copied twice, by
 *   several engines too, is the same row. Rejects with ControlUnavailable, StoreUnavailable; the next call makes up for it
 */
export function createCoverageMirror(control: Control, store: Store): () => Promise<number> {
  /** Unix ms of `until`, by id, of those that may still change. */
  let copied = new Map<number, number>();
  let last = 0;

  return async () => {
    const open = sql`(${pendingCoverage.id} > ${last} OR ${pendingCoverage.until} > now() - ${SETTLED}::interval)`;
    let count = 0;
    const seen = new Map<number, number>();
    for (let after = 0; ; ) {
      const page = await control.read((db) =>
        db
          .select()
          .from(pendingCoverage)
          .where(and(open, gt(pendingCoverage.id, after)))
          .orderBy(asc(pendingCoverage.id))
          .limit(MOST_ROWS),
      );
      const changed = page.filter(({ id, until }) => copied.get(id) !== until.getTime());
      await insert(store, changed);
      count += changed.length;
      for (const { id, until } of page) seen.set(id, until.getTime());
      if (page.length < MOST_ROWS) break;
      after = page.at(-1)!.id;
    }
    copied = seen;
    last = Math.max(last, ...seen.keys());
    return count;
  };
}

async function insert(store: Store, rows: readonly (typeof pendingCoverage.$inferSelect)[]): Promise<void> {
  if (rows.length === 0) return;
  await store.command(
    `INSERT INTO pending_coverage (id, chain_id, source, node, via, since, until, reason)
     SELECT r.1, r.2, r.3, r.4, r.5, fromUnixTimestamp64Milli(r.6, 'UTC'), fromUnixTimestamp64Milli(r.7, 'UTC'), nullIf(r.8, '')
     FROM (SELECT arrayJoin(arrayZip({ids:Array(UInt64)}, {chains:Array(UInt64)}, {sources:Array(String)}, {nodes:Array(String)}, {vias:Array(String)}, {sinces:Array(Int64)}, {untils:Array(Int64)}, {reasons:Array(String)})) AS r)`,
    {
      ids: rows.map(({ id }) => id),
      chains: rows.map(({ chainId }) => chainId),
      sources: rows.map(({ source }) => source),
      nodes: rows.map(({ node }) => node),
      vias: rows.map(({ via }) => via),
      sinces: rows.map(({ since }) => since.getTime()),
      untils: rows.map(({ until }) => until.getTime()),
      reasons: rows.map(({ reason }) => reason ?? ""),
    },
  );
}
