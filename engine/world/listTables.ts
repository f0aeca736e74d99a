/** Reading and writing the tables of lists and worlds: SQL, and nothing that decides. */
import { and, asc, eq, gt, isNull, lt, lte, sql } from "../control/drizzle.ts";
import type { Database, Transaction } from "../control/open.ts";
import {
  type ListVersion,
  listEdits,
  listSnapshots,
  lists,
  rules,
  ruleVersions,
  type WorldContent,
  worlds,
} from "../control/schema.ts";
import type { ListEdit } from "./listTable.ts";

type Reader = Database | Transaction;
export type ListRow = typeof lists.$inferSelect;
export type NewList = Omit<typeof lists.$inferInsert, "createdAt" | "updatedAt" | "removedAt">;

/** A row has 1 MiB of entries at most: 32 bytes and 20 divide it into whole ones, but for the rest. */
const PART_BYTES = 1 << 20;

/** Lists that are there. */
export const readLists = (db: Reader): Promise<ListRow[]> => db.select().from(lists).where(isNull(lists.removedAt));

export async function readList(db: Reader, name: string): Promise<ListRow | undefined> {
  const [row] = await db
    .select()
    .from(lists)
    .where(and(eq(lists.name, name), isNull(lists.removedAt)));
  return row;
}

export async function insertList(tx: Transaction, row: NewList): Promise<void> {
  await tx.insert(lists).values(row);
}

export async function updateList(
  tx: Transaction,
  { list, version, content, size, editBytes }: Pick<NewList, "list" | "version" | "content" | "size" | "editBytes">,
): Promise<void> {
  await tx.update(lists).set({ version, content, size, editBytes, updatedAt: sql`now()` }).where(eq(lists.list, list));
}

export async function endList(tx: Transaction, list: number): Promise<void> {
  await tx.update(lists).set({ removedAt: sql`now()` }).where(eq(lists.list, list));
}

export async function writeSnapshot(
  tx: Transaction,
  { list, version }: Pick<ListVersion, "list" | "version">,
  entries: Uint8Array,
): Promise<void> {
  for (let part = 0; part === 0 || part * PART_BYTES < entries.length; part++)
    await tx.insert(listSnapshots).values({
      ...{ list, version, part },
      entries: Buffer.from(entries.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)), // of shared memory pg makes text
    });
}

export async function writeEdit(
  tx: Transaction,
  { list, version }: Pick<ListVersion, "list" | "version">,
  { added, removed }: ListEdit,
): Promise<void> {
  await tx.insert(listEdits).values({ list, version, added: Buffer.from(added), removed: Buffer.from(removed) });
}

/** Of the newest snapshot up to a version: which it is of, its bytes and parts. */
export async function readSnapshot(
  db: Reader,
  { list, version }: Pick<ListVersion, "list" | "version">,
): Promise<{ version: number; bytes: number; parts: number } | undefined> {
  const [row] = await db
    .select({
      version: listSnapshots.version,
      bytes: sql<number>`sum(length(${listSnapshots.entries}))::int`,
      parts: sql<number>`count(*)::int`,
    })
    .from(listSnapshots)
    .where(and(eq(listSnapshots.list, list), lte(listSnapshots.version, version)))
    .groupBy(listSnapshots.version)
    .orderBy(sql`${listSnapshots.version} DESC`)
    .limit(1);
  return row;
}

export async function readPart(db: Reader, list: number, version: number, part: number): Promise<Uint8Array> {
  const [row] = await db
    .select({ entries: listSnapshots.entries })
    .from(listSnapshots)
    .where(and(eq(listSnapshots.list, list), eq(listSnapshots.version, version), eq(listSnapshots.part, part)));
  if (!row) throw new Error(`Cannot read part ${part} of a list's version ${version}: it is gone`);
  return row.entries;
}

/** The edits that lead from one version to another, in order. */
export const readEdits = (db: Reader, list: number, after: number, upTo: number): Promise<ListEdit[]> =>
  db
    .select({ added: listEdits.added, removed: listEdits.removed })
    .from(listEdits)
    .where(and(eq(listEdits.list, list), gt(listEdits.version, after), lte(listEdits.version, upTo)))
    .orderBy(asc(listEdits.version));

/** Names of the rules that run and name a list. */
export async function rulesNaming(db: Reader, name: string): Promise<string[]> {
  const found = await db
    .selectDistinct({ rule: rules.name })
    .from(rules)
    .innerJoin(ruleVersions, eq(ruleVersions.rule, rules.name))
    .where(
      and(
        sql`${rules.state} IN ('live', 'shadow')`,
        sql`${ruleVersions.version} IN (${rules.liveVersion}, ${rules.shadowVersion})`,
        sql`${ruleVersions.manifest} @> ${JSON.stringify({ lists: [{ name }] })}::jsonb`,
      ),
    )
    .orderBy(asc(rules.name));
  return found.map(({ rule }) => rule);
}

export async function readWorld(db: Reader, id: string): Promise<WorldContent | undefined> {
  const [row] = await db.select({ content: worlds.content }).from(worlds).where(eq(worlds.id, id));
  return row?.content;
}

/** Says that a world is current. */
export async function keepWorld(tx: Transaction, id: string, content: WorldContent): Promise<void> {
  await tx
    .insert(worlds)
    .values({ id, content })
    .onConflictDoUpdate({ target: worlds.id, set: { usedAt: sql`now()` } });
}

/** Worlds that were not current for so long, and what nobody but they can have: a snapshot is needed until there is one of that age behind it. */
export async function dropOldWorlds(tx: Transaction, days: number): Promise<void> {
  const before = sql`now() - make_interval(days => ${days})`;
  await tx.delete(worlds).where(lt(worlds.usedAt, before));
  await tx.delete(lists).where(lt(lists.removedAt, before));
  const newest = sql`(SELECT list, max(version) AS version FROM list_snapshots WHERE created_at < ${before} GROUP BY list)`;
  await tx.execute(sql`DELETE FROM list_edits e USING ${newest} AS n WHERE e.list = n.list AND e.version <= n.version`);
  await tx.execute(
    sql`DELETE FROM list_snapshots s USING ${newest} AS n WHERE s.list = n.list AND s.version < n.version`,
  );
}
