/** Labels: those that everybody has, and the users' in the control store, which come first. */
import { readAudit, writeAudit } from "../control/changes.ts";
import { and, eq, inArray, or, sql } from "../control/drizzle.ts";
import type { Control, Database, Transaction } from "../control/open.ts";
import { labels as table } from "../control/schema.ts";
import { UserError } from "../ops/errors.ts";
import { BUNDLED } from "./bundled.ts";
import { keyOf, LABEL_LIMITS, type Label } from "./label.ts";

export interface OwnedLabel extends Label {
  readonly source: "bundled" | "user";
  /** Of a user's: who said it last, and when. */
  readonly owner: string | null;
  readonly updatedAt: Date | null;
}

export interface LabelFilter {
  readonly chainId?: number | undefined;
  /** Part of the name or symbol, in any case. */
  readonly text?: string | undefined;
}

/** There would be too many. */
export class LabelConflict extends UserError {}

export interface LabelStore {
  /** Bundled ones first, both by chain and address. @throws ControlUnavailable */
  list(filter: LabelFilter, page: { limit: number; offset: number }): Promise<OwnedLabel[]>;
  /** What these addresses are called, by keyOf; what has no label is not there. @throws ControlUnavailable */
  find(addresses: readonly Pick<Label, "chainId" | "address">[]): Promise<Map<string, OwnedLabel>>;
  /** Says them all, or none. @returns how many were new @throws LabelConflict, ControlUnavailable */
  set(labels: readonly Label[], by: string): Promise<{ added: number; changed: number }>;
  /** Forgets a user's label. @returns it; undefined when there was none @throws ControlUnavailable */
  remove(of: Pick<Label, "chainId" | "address">, by: string): Promise<OwnedLabel | undefined>;
  /** What was said of an address and by whom, newest first. */
  audit(of: Pick<Label, "chainId" | "address">, limit: number): ReturnType<typeof readAudit>;
}

const bundled: readonly OwnedLabel[] = BUNDLED.map((label) => ({
  ...label,
  source: "bundled",
  owner: null,
  updatedAt: null,
}));
const bundledByKey = new Map(bundled.map((label) => [keyOf(label), label]));

/** "labl": one change of labels at a time, so that their number is what was counted. */
const LOCK = 0x6c61626c;
/** Rows of one statement, which may have 65,535 parameters. */
const CHUNK = 2_000;

export function createLabelStore(control: Control): LabelStore {
  return {
    async list({ chainId, text }, { limit, offset }) {
      const wanted = text?.toLowerCase();
      const own = bundled.filter(
        (label) =>
          (chainId === undefined || label.chainId === chainId) &&
          (wanted === undefined || `${label.name}\n${label.symbol}`.toLowerCase().includes(wanted)),
      );
      const first = own.slice(offset, offset + limit);
      if (first.length === limit) return first;
      const like = wanted === undefined ? undefined : `%${wanted.replace(/[\\%_]/g, "\\$&")}%`;
      const rows = await control.read((db) =>
        db
          .select()
          .from(table)
          .where(
            and(
              chainId === undefined ? undefined : eq(table.chainId, chainId),
              like === undefined
                ? undefined
                : sql`lower(${table.name} || E'\n' || coalesce(${table.symbol}, '')) LIKE ${like}`,
            ),
          )
          .orderBy(table.chainId, table.address)
          .limit(limit - first.length)
          .offset(Math.max(0, offset - own.length)),
      );
      return [...first, ...rows.map(labelOf)];
    },
    async find(addresses) {
      const found = new Map<string, OwnedLabel>();
      for (const each of addresses) {
        const label = bundledByKey.get(keyOf(each));
        if (label) found.set(keyOf(each), label);
      }
      for (let at = 0; at < addresses.length; at += CHUNK) {
        const some = addresses.slice(at, at + CHUNK);
        for (const label of (await control.read((db) => readLabels(db, some))).map(labelOf))
          found.set(keyOf(label), label);
      }
      return found;
    },
    set: (labels, by) =>
      control.change(async (tx) => {
        await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`);
        let known = 0;
        for (let at = 0; at < labels.length; at += CHUNK) known += await write(tx, labels.slice(at, at + CHUNK), by);
        const [row] = await tx.select({ count: sql<number>`count(*)::int` }).from(table);
        if (row!.count > LABEL_LIMITS.labels)
          throw new LabelConflict(
            `Cannot keep ${labels.length} labels: there would be ${row!.count}, expected at most ${LABEL_LIMITS.labels}`,
            { next: "Remove labels that are not needed" },
          );
        return { added: labels.length - known, changed: known };
      }),
    remove: (of, by) =>
      control.change(async (tx) => {
        const [gone] = await tx.delete(table).where(at(of)).returning();
        if (gone)
          await writeAudit(tx, [
            { who: by, action: "remove", subject: subjectOf(of), before: said(gone), after: null },
          ]);
        return gone && labelOf(gone);
      }),
    audit: (of, limit) => control.read((db) => readAudit(db, subjectOf(of), limit)),
  };
}

type Row = typeof table.$inferSelect;

const bytesOf = (address: string): Buffer => Buffer.from(address.slice(2), "hex");
const at = ({ chainId, address }: Pick<Label, "chainId" | "address">) =>
  and(eq(table.chainId, chainId), eq(table.address, bytesOf(address)));
const subjectOf = (of: Pick<Label, "chainId" | "address">): string => `label ${keyOf(of)}`;
const said = ({ name, symbol, decimals }: Pick<Label, "name" | "symbol" | "decimals">) => ({ name, symbol, decimals });

const labelOf = ({ address, ...row }: Row): OwnedLabel => ({
  ...row,
  address: `0x${Buffer.from(address).toString("hex")}`,
  source: "user",
});

function readLabels(db: Database | Transaction, of: readonly Pick<Label, "chainId" | "address">[]): Promise<Row[]> {
  const chains = [...new Set(of.map(({ chainId }) => chainId))];
  const inChain = (chainId: number) =>
    and(
      eq(table.chainId, chainId),
      inArray(
        table.address,
        of.filter((each) => each.chainId === chainId).map(({ address }) => bytesOf(address)),
      ),
    );
  return db
    .select()
    .from(table)
    .where(or(...chains.map(inChain)));
}

/** @returns how many were there already */
async function write(tx: Transaction, labels: readonly Label[], by: string): Promise<number> {
  const before = new Map((await readLabels(tx, labels)).map((row) => [keyOf(labelOf(row)), row]));
  await tx
    .insert(table)
    .values(labels.map(({ address, ...label }) => ({ ...label, address: bytesOf(address), owner: by })))
    .onConflictDoUpdate({
      target: [table.chainId, table.address],
      set: {
        ...{ name: sql`excluded.name`, symbol: sql`excluded.symbol`, decimals: sql`excluded.decimals` },
        ...{ owner: sql`excluded.owner`, updatedAt: sql`now()` },
      },
    });
  const entries = labels.map((label) => {
    const old = before.get(keyOf(label));
    return { who: by, action: "set", subject: subjectOf(label), before: old ? said(old) : null, after: said(label) };
  });
  await writeAudit(tx, entries);
  return before.size;
}
