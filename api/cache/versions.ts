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
  readonly control: Pick<Control, "read">;
  /** How late it may be known that something was written. 0: each time it is asked anew. */
  readonly freshMs: number;
  readonly now: () => number;
}

const PARTS = `SELECT table, concat(toString(max(max_block_number)), ':', toString(max(data_version)), ':', toString(sum(rows))) AS version
FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table`;

/** @returns asks for the versions; rejects with StoreUnavailable */
export function createVersions({ store, control, freshMs, now }: VersionOptions): () => Promise<Versions> {
  let known: { readonly versions: Versions; readonly at: number } | undefined;
  let asking: Promise<Versions> | undefined;

  async function read(): Promise<Versions> {
    const at = now();
    const [parts, labels] = await Promise.all([
      store.rows<{ table: string; version: string }>(PARTS, {}, READ_SETTINGS),
      labelVersion(control),
    ]);
    const versions = new Map([...parts.map(({ table, version }) => [table, version] as const), ["labels", labels]]);
    known = { versions, at };
    return versions;
  }
  const ask = (): Promise<Versions> => (asking ??= read().finally(() => (asking = undefined)));

  return async () => {
    const age = known === undefined ? Number.POSITIVE_INFINITY : now() - known.at;
    if (freshMs === 0) return read();
    if (age < freshMs / 2) return known!.versions;
    const asked = ask();
    if (age >= freshMs) return asked;
    asked.catch(() => {}); // in good time, so nobody waits for it; if it fails, who comes later is told
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
