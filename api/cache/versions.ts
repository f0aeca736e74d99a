/**
 * Which state of the data an answer was made of. Nobody who writes has to tell anybody: ClickHouse numbers the blocks and mutations of each table as they
 * are written, and that number is read from its list of parts, a query over metadata alone. So a range that was stored, a block that was replaced, an hour that was
 * closed, rows that were deleted, by any engine or by hand, are another version of just the tables that they touch.
 *
 *     arbitrages     1207:1207:88211     last block : last mutation : rows
 *     stats_hours    41:41:320           a merge may change rows too: an answer is then made once more for nothing
 *     labels         5120                number of the last entry of the audit log
 */
import { desc } from "../../engine/control/drizzle.ts";
import { ControlUnavailable } from "../../engine/control/errors.ts";
import type { Control } from "../../engine/control/open.ts";
import { auditLog } from "../../engine/control/schema.ts";
import type { ReadableStore } from "../deps.ts";
import { READ_SETTINGS } from "../list.ts";

/** By table, and `labels`. */
export type Versions = ReadonlyMap<string, string>;

export interface VersionOptions {
  readonly store: ReadableStore;
  /** Where labels are; without it there are none. */
  readonly control?: Pick<Control, "read">;
  /** How late it may be known that something was written. 0: each time it is asked anew. */
  readonly freshMs: number;
  readonly now: () => number;
  /** What takes time and is of these versions: made before anybody is told them who need not be. */
  readonly prepare?: ((versions: Versions) => Promise<void>) | undefined;
}

const PARTS = `SELECT table, concat(toString(max(max_block_number)), ':', toString(max(data_version)), ':', toString(sum(rows))) AS version
FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table`;

/** Of tables alone, as of now. */
export async function readTableVersions(store: ReadableStore): Promise<Map<string, string>> {
  const parts = await store.rows<{ table: string; version: string }>(PARTS, {}, READ_SETTINGS);
  return new Map(parts.map(({ table, version }) => [table, version]));
}

interface Known {
  readonly versions: Versions;
  /** When they began to be read. */
  readonly at: number;
}

/** @returns asks for the versions; rejects with StoreUnavailable */
export function createVersions({ store, control, freshMs, now, prepare }: VersionOptions): () => Promise<Versions> {
  let known: Known | undefined;
  /** Read last, and not told yet: it is being prepared. */
  let next: Known | undefined;
  let asking: Promise<Known> | undefined;
  let renewing: Promise<void> | undefined;

  async function read(): Promise<Known> {
    const at = now();
    const [tables, labels] = await Promise.all([readTableVersions(store), control && labelVersion(control)]);
    return { versions: labels === undefined ? tables : tables.set("labels", labels), at };
  }
  const ask = (): Promise<Known> => (asking ??= read().finally(() => (asking = undefined)));
  async function renew(): Promise<void> {
    next = await ask();
    await prepare?.(next.versions);
    if (known === undefined || next.at > known.at) known = next;
  }

  return async () => {
    if (freshMs === 0) return (await read()).versions;
    const age = (of: Known | undefined): number => (of === undefined ? Number.POSITIVE_INFINITY : now() - of.at);
    if (age(known) >= freshMs) known = age(next) < freshMs ? next! : await ask();
    else if (age(known) >= freshMs / 2)
      // in good time, so nobody waits for it; if it fails, who comes later is told
      renewing ??= renew()
        .catch(() => {})
        .finally(() => (renewing = undefined));
    return known!.versions;
  };
}

/** While the control store is away, names are those that everybody has: another version. */
async function labelVersion(control: Pick<Control, "read">): Promise<string> {
  try {
    const [last] = await control.read((db) => db.select({ id: auditLog.id }).from(auditLog).orderBy(desc(auditLog.id)).limit(1)); // biome-ignore format: one query
    return String(last?.id ?? 0);
  } catch (error) {
    if (error instanceof ControlUnavailable) return "away";
    throw error;
  }
}
