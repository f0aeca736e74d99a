/**
 * API keys: for programs, of users. The key is shown once; kept are its beginning, by which it is found, and its hash.
 *
 *     weir_3f9a1c07_Zk1…43 characters
 *     └─ prefix ──┘ └─ 256 random bits
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { writeAudit } from "../control/changes.ts";
import { and, asc, eq, gt, isNull, or, sql } from "../control/drizzle.ts";
import type { Control, Transaction } from "../control/open.ts";
import { apiKeys as table, users } from "../control/schema.ts";
import { AccessConflict, AccessInvalid } from "./errors.ts";
import { parseRange } from "./ranges.ts";
import { lesser, type Role } from "./roles.ts";
import { type User, userOf } from "./user.ts";

export type ApiKey = Omit<typeof table.$inferSelect, "hash">;

export const KEY_LIMITS = { name: 128, perUser: 100, days: 3650, allowIps: 64 } as const;
const KEY_NAME = new RegExp(`^\\P{Cc}{1,${KEY_LIMITS.name}}$`, "u");
const KEY = /^(weir_[0-9a-f]{8})_[A-Za-z0-9_-]{43}$/;

export interface NewKey {
  readonly name: string;
  /** What it may do at most. */
  readonly role: Role;
  /** undefined: it never expires */
  readonly expiresInDays?: number | undefined;
  /** Addresses and CIDR blocks that it is accepted from; undefined: any. */
  readonly allowIps?: readonly string[] | undefined;
}

export interface KeyStore {
  /** @returns the key itself, which nobody can show again @throws AccessConflict, AccessInvalid, ControlUnavailable */
  create(user: User, key: NewKey, by: string): Promise<{ key: string; info: ApiKey }>;
  /** Of a user, or all: those that were not revoked, by id. */
  list(userId?: number): Promise<(ApiKey & { username: string })[]>;
  /** @param userId whose it must be, unless an administrator does it */
  revoke(id: number, userId: number | undefined, by: string): Promise<ApiKey | undefined>;
  /** Whose it is and what it may do, if it is valid. */
  find(key: string): Promise<{ info: ApiKey; user: User; role: Role } | undefined>;
  /** Whether find() would still find it. @throws ControlUnavailable */
  holds(id: number): Promise<boolean>;
  /** Counts a use; written some seconds later. */
  used(id: number, ip: string | null): void;
  /** Writes what was counted. Rejects with ControlUnavailable, and keeps the counts. */
  flush(): Promise<void>;
}

export function createKeyStore(control: Control, now: () => Date): KeyStore {
  let uses = new Map<number, { count: number; ip: string | null; at: Date }>();
  const isGood = () =>
    and(
      isNull(table.revokedAt),
      or(isNull(table.expiresAt), gt(table.expiresAt, now())),
      eq(users.disabled, false),
      isNull(users.removedAt),
    );

  return {
    create: (user, { name, role, expiresInDays, allowIps }, by) =>
      control.change(async (tx) => {
        checkNew({ name, expiresInDays, allowIps });
        const own = await tx
          .select({ id: table.id })
          .from(table)
          .where(and(eq(table.userId, user.id), isNull(table.revokedAt)));
        if (own.length >= KEY_LIMITS.perUser)
          throw new AccessConflict(
            `Cannot make the key "${name}": "${user.username}" has ${own.length}, expected fewer than ${KEY_LIMITS.perUser}`,
            { next: "Revoke keys that are not needed" },
          );
        const prefix = `weir_${randomBytes(4).toString("hex")}`;
        const key = `${prefix}_${randomBytes(32).toString("base64url")}`;
        const [row] = await tx
          .insert(table)
          .values({
            ...{ userId: user.id, name, prefix, hash: hashOf(key), role: lesser(role, user.role) },
            allowIps: allowIps ?? null,
            createdAt: now(),
            expiresAt: expiresInDays === undefined ? null : new Date(now().getTime() + expiresInDays * 86_400_000),
          })
          .returning();
        await audit(tx, by, "add key", prefix, null, said(row!, user.username));
        return { key, info: infoOf(row!) };
      }),
    list: (userId) =>
      control.read(async (db) => {
        const rows = await db
          .select({ key: table, username: users.username })
          .from(table)
          .innerJoin(users, eq(users.id, table.userId))
          .where(and(isNull(table.revokedAt), userId === undefined ? undefined : eq(table.userId, userId)))
          .orderBy(asc(table.id));
        return rows.map(({ key, username }) => ({ ...infoOf(key), username }));
      }),
    revoke: (id, userId, by) =>
      control.change(async (tx) => {
        const [row] = await tx
          .update(table)
          .set({ revokedAt: now() })
          .where(
            and(eq(table.id, id), isNull(table.revokedAt), userId === undefined ? undefined : eq(table.userId, userId)),
          )
          .returning();
        if (!row) return undefined;
        const [owner] = await tx.select().from(users).where(eq(users.id, row.userId));
        await audit(tx, by, "revoke key", row.prefix, said(row, owner!.username), null);
        return infoOf(row);
      }),
    async find(key) {
      const prefix = KEY.exec(key)?.[1];
      if (prefix === undefined) return undefined;
      const [row] = await control.read((db) =>
        db
          .select({ key: table, user: users })
          .from(table)
          .innerJoin(users, eq(users.id, table.userId))
          .where(and(eq(table.prefix, prefix), isGood())),
      );
      if (!row || !timingSafeEqual(row.key.hash, hashOf(key))) return undefined;
      return { info: infoOf(row.key), user: userOf(row.user), role: lesser(row.key.role, row.user.role) };
    },
    async holds(id) {
      const rows = await control.read((db) =>
        db
          .select({ id: table.id })
          .from(table)
          .innerJoin(users, eq(users.id, table.userId))
          .where(and(eq(table.id, id), isGood())),
      );
      return rows.length > 0;
    },
    used(id, ip) {
      uses.set(id, { count: (uses.get(id)?.count ?? 0) + 1, ip, at: now() });
    },
    async flush() {
      if (uses.size === 0) return;
      const counted = uses;
      uses = new Map();
      try {
        await control.change(async (tx) => {
          for (const [id, { count, ip, at }] of counted)
            await tx
              .update(table)
              .set({ uses: sql`${table.uses} + ${count}`, lastUsedAt: at, lastIp: ip })
              .where(eq(table.id, id));
        });
      } catch (error) {
        for (const [id, { count, ip, at }] of counted)
          uses.set(id, { ip, at, ...uses.get(id), count: count + (uses.get(id)?.count ?? 0) });
        throw error;
      }
    },
  };
}

function checkNew({ name, expiresInDays, allowIps }: Omit<NewKey, "role">): void {
  const refuse = (parameter: string, message: string): never => {
    throw new AccessInvalid(parameter, message);
  };
  if (!KEY_NAME.test(name.trim()))
    refuse(
      "name",
      `Cannot take the name of a key "${name.slice(0, 64)}": expected 1 to ${KEY_LIMITS.name} characters, none of control`,
    );
  if (
    expiresInDays !== undefined &&
    !(Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= KEY_LIMITS.days)
  )
    refuse("expires_in_days", `Cannot make a key for ${expiresInDays} days: expected 1 to ${KEY_LIMITS.days}`);
  if (allowIps !== undefined && (allowIps.length === 0 || allowIps.length > KEY_LIMITS.allowIps))
    refuse("allow_ips", `Cannot take ${allowIps.length} addresses: expected 1 to ${KEY_LIMITS.allowIps}`);
  for (const each of allowIps ?? [])
    if (parseRange(each) === undefined)
      refuse("allow_ips", `Cannot take "${each.slice(0, 64)}": expected an address or a block such as 10.0.0.0/8`);
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

function infoOf({ hash: _, ...info }: typeof table.$inferSelect): ApiKey {
  return info;
}

/** What the audit log shows of a key. */
const said = ({ name, role, expiresAt, allowIps }: typeof table.$inferSelect, user: string) => ({
  ...{ user, name, role, allow_ips: allowIps, expires_at: expiresAt?.toISOString() ?? null },
});

/** All of a user's, as a part of removing it. */
export const revokeKeysOf = (tx: Transaction, userId: number) =>
  tx
    .update(table)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(table.userId, userId), isNull(table.revokedAt)));

const audit = (tx: Transaction, who: string, action: string, prefix: string, before: unknown, after: unknown) =>
  writeAudit(tx, [{ who, action, subject: `key ${prefix}`, before, after }]);
