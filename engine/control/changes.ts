/** What all changes of the control store share: the number that engines poll, and who did what. */
import { actor } from "./actor.ts";
import { desc, eq, sql } from "./drizzle.ts";
import type { Database, Transaction } from "./open.ts";
import { auditLog, changes } from "./schema.ts";

type Reader = Database | Transaction;
export type AuditRow = typeof auditLog.$inferSelect;

export async function readNumber(db: Reader): Promise<number> {
  const [row] = await db.select({ number: changes.number }).from(changes);
  return row!.number;
}

/** The first statement of each change: its row's lock lets one change through at a time, in the order of numbers. */
export async function nextNumber(tx: Transaction): Promise<number> {
  const [row] = await tx
    .update(changes)
    .set({ number: sql`${changes.number} + 1` })
    .returning({ number: changes.number });
  return row!.number;
}

/** An entry as who makes the change knows it; where it comes from is added here. */
export type AuditEntry = Omit<typeof auditLog.$inferInsert, "id" | "at" | "ip" | "via">;

export async function writeAudit(tx: Transaction, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length > 0) await tx.insert(auditLog).values(entries.map((entry) => ({ ...entry, ...actor() })));
}

/** Newest first. */
export const readAudit = (db: Reader, subject: string, limit: number): Promise<AuditRow[]> =>
  db.select().from(auditLog).where(eq(auditLog.subject, subject)).orderBy(desc(auditLog.id)).limit(limit);
