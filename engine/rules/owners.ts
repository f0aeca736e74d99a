/** What owners of rules may have: as configured, or of their own, which is kept in the control store. */
import { writeAudit } from "../control/changes.ts";
import { sql } from "../control/drizzle.ts";
import type { Database, Transaction } from "../control/open.ts";
import { ownerQuotas } from "../control/schema.ts";
import type { Change } from "../world/lists.ts";

export interface Quota {
  /** Rules that run at most: live, on trial alone, or throttled. */
  readonly maxRules: number;
  /** Fuel that they may use for a second of the stream, in one engine. */
  readonly fuelPerSecond: number;
}

/** null: as configured. */
export type OwnQuota = { readonly [Limit in keyof Quota]: number | null };

export interface Owners {
  quotaOf(owner: string): Quota;
  /** What is not as configured. */
  ownQuotaOf(owner: string): OwnQuota;
  /** Owners that have a quota of their own. */
  withOwn(): string[];
  /**
   * Gives an owner other limits than are configured; it need not have rules yet. Rules that run go on: what is over the number
   * keeps the next one from running.
   * @param quota whole numbers, rules from 0 and fuel from 1, up to QUOTA_LIMITS @throws ControlUnavailable
   */
  setQuota(owner: string, quota: OwnQuota, by: string): Promise<Quota>;
  /** Takes over what the control store says. */
  take(rows: readonly QuotaRow[]): void;
}

export type QuotaRow = typeof ownerQuotas.$inferSelect;

export const QUOTA_LIMITS = { rules: 100_000, fuelPerSecond: 1_000_000_000_000_000 } as const;

export const readQuotas = (db: Database | Transaction): Promise<QuotaRow[]> => db.select().from(ownerQuotas);

/** With rows as read: of what is in the store by then. */
export function quotaIn(rows: readonly QuotaRow[], owner: string, configured: Quota): Quota {
  const own = rows.find((row) => row.owner === owner);
  return {
    maxRules: own?.maxRules ?? configured.maxRules,
    fuelPerSecond: own?.fuelPerSecond ?? configured.fuelPerSecond,
  };
}

const NONE: OwnQuota = { maxRules: null, fuelPerSecond: null };

export function createOwners(configured: Quota, change: Change): Owners {
  let known: readonly QuotaRow[] = [];
  const ownQuotaOf = (owner: string): OwnQuota => {
    const { maxRules, fuelPerSecond } = known.find((row) => row.owner === owner) ?? NONE;
    return { maxRules, fuelPerSecond };
  };

  return {
    quotaOf: (owner) => quotaIn(known, owner, configured),
    ownQuotaOf,
    withOwn: () => known.map(({ owner }) => owner),
    take(rows) {
      known = rows.filter(({ maxRules, fuelPerSecond }) => maxRules !== null || fuelPerSecond !== null);
    },
    async setQuota(owner, quota, by) {
      await change(async (tx) => {
        const row = (await readQuotas(tx)).find((each) => each.owner === owner);
        const { maxRules, fuelPerSecond } = row ?? NONE;
        await tx
          .insert(ownerQuotas)
          .values({ owner, ...quota })
          .onConflictDoUpdate({ target: ownerQuotas.owner, set: { ...quota, updatedAt: sql`now()` } });
        const before = row ? { maxRules, fuelPerSecond } : null;
        await writeAudit(tx, [{ who: by, action: "quota", subject: `owner ${owner}`, before, after: quota }]);
      });
      return quotaIn(known, owner, configured);
    },
  };
}
