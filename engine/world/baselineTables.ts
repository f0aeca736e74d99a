/** Reading and writing versions of baselines in the control store. */
import { desc, eq, sql } from "../control/drizzle.ts";
import type { Database, Transaction } from "../control/open.ts";
import { baselines } from "../control/schema.ts";
import { unpackBaselines } from "./baselineBytes.ts";
import { buildBaselines } from "./baselines.ts";
import type { WorldBaselines } from "./world.ts";

type Reader = Database | Transaction;

/** The version that holds, if there is one. */
export async function newestBaselines(db: Reader): Promise<{ id: string; madeAt: Date } | undefined> {
  const [row] = await db
    .select({ id: baselines.id, madeAt: baselines.madeAt })
    .from(baselines)
    .orderBy(desc(baselines.madeAt))
    .limit(1);
  return row;
}

/** Makes a version the newest. */
export async function putBaselines(tx: Transaction, id: string, entries: Uint8Array, rows: number): Promise<void> {
  await tx
    .insert(baselines)
    .values({ id, entries: Buffer.from(entries), rows })
    .onConflictDoUpdate({ target: baselines.id, set: { madeAt: sql`now()` } });
}

/** @throws Error when it is gone: a world that has it keeps it */
export async function readBaselines(db: Reader, id: string): Promise<WorldBaselines> {
  const [row] = await db.select({ entries: baselines.entries }).from(baselines).where(eq(baselines.id, id));
  if (!row) throw new Error(`Cannot read the baselines "${id}": the control store does not have them`);
  return { id, tables: buildBaselines(unpackBaselines(row.entries)) };
}

/** Those that no world has. For a day there may be one that is about to; the newest stays. Call it after old worlds are gone. */
export async function dropOldBaselines(tx: Transaction): Promise<void> {
  await tx.execute(sql`DELETE FROM baselines b
    WHERE made_at < (SELECT max(made_at) FROM baselines) AND made_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM worlds w WHERE w.content ->> 'baselines' = b.id)`);
}
