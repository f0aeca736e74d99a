/** Reading and writing the catalogue's tables: SQL, and nothing that decides. */
import { and, desc, eq, gt, inArray, lt, ne, or, type pgCore, type SQL, sql } from "../control/drizzle.ts";
import type { Database, Transaction } from "../control/open.ts";
import {
  admittedModules,
  modules,
  type RuleKind,
  ruleSetParts,
  ruleSets,
  rules,
  ruleVersions,
  type SetMember,
} from "../control/schema.ts";
import { type Life, RUNNING } from "./lifecycle.ts";
import type { RuleSetPart } from "./ruleSetParts.ts";

type Reader = Database | Transaction;
export type RuleRow = typeof rules.$inferSelect;
export type VersionRow = typeof ruleVersions.$inferSelect;
export type NewVersion = Omit<VersionRow, "uploadedAt">;
/** A rule with some of its versions, by number. */
export type RuleWithVersions = RuleRow & { readonly versions: Map<number, NewVersion> };
export type NewAdmitted = Omit<typeof admittedModules.$inferInsert, "createdAt">;

/** Rules that changed after a number, each with its newest version and those that run. */
export const readRulesSince = (db: Reader, number: number) => withVersions(db, gt(rules.change, number));

function withVersions(db: Reader, which: SQL): Promise<{ rule: RuleRow; version: VersionRow }[]> {
  const wanted = [rules.newestVersion, rules.liveVersion, rules.shadowVersion];
  return db
    .select({ rule: rules, version: ruleVersions })
    .from(rules)
    .innerJoin(
      ruleVersions,
      and(eq(ruleVersions.rule, rules.name), or(...wanted.map((column) => eq(ruleVersions.version, column)))),
    )
    .where(which);
}

/** Rules by name, each with its newest version and those that run, or would, by number. */
export async function readRules(db: Reader, names: readonly string[]): Promise<Map<string, RuleWithVersions>> {
  const found = await withVersions(db, inArray(rules.name, [...names]));
  const byName = new Map<string, RuleWithVersions>();
  for (const { rule, version } of found) {
    const known = byName.get(rule.name) ?? { ...rule, versions: new Map() };
    known.versions.set(version.version, version);
    byName.set(rule.name, known);
  }
  return byName;
}

export const readVersions = (db: Reader, name: string): Promise<VersionRow[]> =>
  db.select().from(ruleVersions).where(eq(ruleVersions.rule, name)).orderBy(desc(ruleVersions.version));

const isIn = (column: pgCore.PgColumn, texts: readonly string[]): SQL => sql`${column} = ANY(${sql.param([...texts])})`;

/** Which of these contents are, or were, a version of some rule. */
export async function knownContents(db: Reader, sha256s: readonly string[]): Promise<Set<string>> {
  const found = await db
    .selectDistinct({ sha256: ruleVersions.sha256 })
    .from(ruleVersions)
    .where(isIn(ruleVersions.sha256, sha256s));
  return new Set(found.map(({ sha256 }) => sha256));
}

export interface ContentSize {
  readonly sha256: string;
  readonly kind: RuleKind;
  /** bytes */
  readonly size: number;
}

export const readSizes = (db: Reader, sha256s: readonly string[]): Promise<ContentSize[]> =>
  db
    .selectDistinct({ sha256: ruleVersions.sha256, kind: ruleVersions.kind, size: ruleVersions.size })
    .from(ruleVersions)
    .where(isIn(ruleVersions.sha256, sha256s));

/** Contents as kept. */
export const readContents = (db: Reader, sha256s: readonly string[]): Promise<(typeof modules.$inferSelect)[]> =>
  db.select().from(modules).where(isIn(modules.sha256, sha256s));

/** Of these modules those that this admission has made before. */
export const readAdmitted = (
  db: Reader,
  sha256s: readonly string[],
  admission: string,
): Promise<Pick<NewAdmitted, "sha256" | "bytes" | "manifest">[]> =>
  db
    .select({ sha256: admittedModules.sha256, bytes: admittedModules.bytes, manifest: admittedModules.manifest })
    .from(admittedModules)
    .where(and(eq(admittedModules.admission, admission), isIn(admittedModules.sha256, sha256s)));

export async function writeAdmitted(tx: Transaction, admitted: NewAdmitted[]): Promise<void> {
  if (admitted.length > 0) await tx.insert(admittedModules).values(admitted).onConflictDoNothing();
}

/** What other versions of ours made, which nobody runs any more. */
export async function dropOldAdmitted(tx: Transaction, admission: string, days: number): Promise<void> {
  await tx
    .delete(admittedModules)
    .where(
      and(
        ne(admittedModules.admission, admission),
        lt(admittedModules.createdAt, sql`now() - make_interval(days => ${days})`),
      ),
    );
}

/** By owner: how many run, or would if they were not throttled. */
export async function countRunning(db: Reader): Promise<Map<string, number>> {
  const counts = await db
    .select({ owner: rules.owner, count: sql<number>`count(*)::int` })
    .from(rules)
    .where(inArray(rules.state, [...RUNNING]))
    .groupBy(rules.owner);
  return new Map(counts.map(({ owner, count }) => [owner, count]));
}

export async function writeContents(tx: Transaction, contents: (typeof modules.$inferInsert)[]): Promise<void> {
  if (contents.length > 0) await tx.insert(modules).values(contents).onConflictDoNothing();
}

const SINCE = sql`CASE WHEN ${rules.state} = excluded.state THEN ${rules.since} ELSE now() END`;

/** Before their versions: what a rule says of them is checked at the end of the transaction. */
export async function writeRules(
  tx: Transaction,
  changed: readonly (Life & { name: string; owner: string })[],
  change: number,
): Promise<void> {
  const set = Object.fromEntries(
    (["state", "newestVersion", "liveVersion", "shadowVersion", "reason", "change"] as const).map((key) => [
      key,
      sql.raw(`excluded.${rules[key].name}`),
    ]),
  );
  await tx
    .insert(rules)
    .values(
      changed.map(({ name, owner, state, newestVersion, liveVersion, shadowVersion, reason }) => ({
        name,
        owner,
        state,
        newestVersion,
        liveVersion,
        shadowVersion,
        reason,
        change,
      })),
    )
    .onConflictDoUpdate({ target: rules.name, set: { ...set, updatedAt: sql`now()`, since: SINCE } });
}

export async function writeVersions(tx: Transaction, versions: readonly NewVersion[]): Promise<void> {
  if (versions.length > 0) await tx.insert(ruleVersions).values([...versions]);
}

export async function readSet(db: Reader, id: string): Promise<readonly SetMember[] | undefined> {
  const [set] = await db.select().from(ruleSets).where(eq(ruleSets.id, id));
  if (!set?.parts) return set?.rules ?? undefined;
  const parts = await db.select().from(ruleSetParts).where(isIn(ruleSetParts.id, set.parts));
  return parts.flatMap((part) => part.rules).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Says that a set runs. @returns whether it is there */
export async function touchSet(tx: Transaction, id: string): Promise<boolean> {
  const touched = await tx.update(ruleSets).set(USED_NOW).where(eq(ruleSets.id, id)).returning({ id: ruleSets.id });
  return touched.length > 0;
}

/** The same of one that may not be there yet. @param fresh those of its parts that no set has that is known to be there */
export async function keepSet(
  tx: Transaction,
  id: string,
  parts: readonly RuleSetPart[],
  fresh: readonly RuleSetPart[],
): Promise<void> {
  if (fresh.length > 0)
    await tx
      .insert(ruleSetParts)
      .values([...fresh])
      .onConflictDoUpdate({ target: ruleSetParts.id, set: USED_NOW });
  await tx
    .insert(ruleSets)
    .values({ id, parts: sql`${sql.param(parts.map((part) => part.id))}` })
    .onConflictDoUpdate({ target: ruleSets.id, set: USED_NOW });
}

const USED_NOW = { usedAt: sql`now()` };

export async function dropOldSets(tx: Transaction, days: number): Promise<void> {
  const isOld = (usedAt: typeof ruleSets.usedAt | typeof ruleSetParts.usedAt): SQL =>
    lt(usedAt, sql`now() - make_interval(days => ${days})`);
  const dropped = await tx.delete(ruleSets).where(isOld(ruleSets.usedAt)).returning({ id: ruleSets.id });
  if (dropped.length === 0) return;
  const used = sql`${ruleSetParts.id} NOT IN (SELECT unnest(${ruleSets.parts}) FROM ${ruleSets} WHERE ${ruleSets.parts} IS NOT NULL)`;
  await tx.delete(ruleSetParts).where(and(isOld(ruleSetParts.usedAt), used));
}
