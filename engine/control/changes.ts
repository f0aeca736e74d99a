/** What all changes of the control store share: the number that engines poll, and who did what. */
import { actor } from "./actor.ts";
import { and, desc, eq, gte, lt, type SQL, sql } from "./drizzle.ts";
import type { Control, Database, Transaction } from "./open.ts";
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

export interface AuditFilter {
  readonly who?: string | undefined;
  readonly action?: string | undefined;
  /** With * at its end: what begins so. */
  readonly subject?: string | undefined;
  readonly ip?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Newest first; `total` of all that the filter lets through. @throws ControlUnavailable */
export function listAudit(
  control: Control,
  { who, action, subject, ip, since, until }: AuditFilter,
  { limit, offset, before }: { limit: number; offset: number; before?: number | undefined },
): Promise<{ entries: AuditRow[]; total: number }> {
  const given = <T>(value: T | undefined, condition: (value: T) => SQL) => value === undefined ? undefined : condition(value); // biome-ignore format: one line
  const matching = and(
    given(who, (name) => eq(auditLog.who, name)),
    given(action, (name) => eq(auditLog.action, name)),
    given(subject, (text) =>
      text.endsWith("*") ? sql`starts_with(${auditLog.subject}, ${text.slice(0, -1)})` : eq(auditLog.subject, text),
    ),
    given(ip, (address) => eq(auditLog.ip, address)),
    given(since, (time) => gte(auditLog.at, time)),
    given(until, (time) => lt(auditLog.at, time)),
  );
  return control.read(async (db) => {
    const entries = await db
      .select()
      .from(auditLog)
      .where(
        and(
          matching,
          given(before, (id) => lt(auditLog.id, id)),
        ),
      )
      .orderBy(desc(auditLog.id))
      .limit(limit)
      .offset(offset);
    const [row] = await db.select({ total: sql<number>`count(*)::int` }).from(auditLog).where(matching);
    return { entries, total: row!.total };
  });
}
