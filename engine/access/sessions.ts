/**
 * Sessions: what a login begins. A session is a family of refresh tokens, numbered; each use of the valid one makes the next.
 * Whoever comes with an earlier one has a copy, or somebody else has: which of the two is the thief cannot be told, so the session ends.
 */
import { randomBytes } from "node:crypto";
import { writeAudit } from "../control/changes.ts";
import { and, desc, eq, gt, inArray, isNull, lt, type or, sql } from "../control/drizzle.ts";
import type { Control, Transaction } from "../control/open.ts";
import { sessions as table, users } from "../control/schema.ts";
import { LoginRefused } from "./errors.ts";
import { type User, userOf } from "./user.ts";

export type Session = Omit<typeof table.$inferSelect, "rotation">;

export type EndReason = "logout" | "reuse" | "password" | "disabled" | "removed" | "too many" | "admin";

/** A refresh token that is not used for so long is worth nothing. */
export const SESSION_DAYS = 14;
/** Of a user at a time; the one that was used longest ago ends for a new one. */
export const MAX_SESSIONS = 20;
const KEPT_MS = 30 * 86_400_000;

export interface SessionStore {
  start(user: User, from: { ip: string | null; userAgent: string | null }): Promise<{ id: string; expiresAt: Date }>;
  /**
   * Takes refresh token number `rotation` of a session for the next one.
   * @throws LoginRefused when it is no more, or that token was used before: then the session has ended
   */
  rotate(id: string, rotation: number): Promise<{ user: User; rotation: number; expiresAt: Date }>;
  /** Its user, as long as both are valid. */
  userOf(id: string): Promise<User | undefined>;
  /** Those that go on, the newest first. */
  list(userId: number): Promise<Session[]>;
  /** @param userId whose it must be @returns whether there was one */
  end(id: string, userId: number, reason: EndReason, by: string): Promise<boolean>;
}

export function createSessionStore(control: Control, now: () => Date): SessionStore {
  const goesOn = () => and(isNull(table.endedAt), gt(table.expiresAt, now()));
  const expiry = (): Date => new Date(now().getTime() + SESSION_DAYS * 86_400_000);

  return {
    start: (user, { ip, userAgent }) =>
      control.change(async (tx) => {
        await tx.delete(table).where(lt(table.expiresAt, new Date(now().getTime() - KEPT_MS)));
        const open = await tx
          .select({ id: table.id })
          .from(table)
          .where(and(eq(table.userId, user.id), goesOn()))
          .orderBy(desc(table.usedAt));
        const over = open.slice(MAX_SESSIONS - 1).map(({ id }) => id);
        if (over.length > 0) await endThose(tx, inArray(table.id, over), "too many");
        const id = randomBytes(16).toString("hex");
        const expiresAt = expiry();
        await tx.insert(table).values({
          ...{ id, userId: user.id, ip, userAgent: userAgent?.slice(0, 256) ?? null },
          ...{ createdAt: now(), usedAt: now(), expiresAt },
        });
        await audit(tx, user.username, "login", id, null, { ip });
        return { id, expiresAt };
      }),
    async rotate(id, rotation) {
      const taken = await control.change(async (tx) => {
        const expiresAt = expiry();
        const [next] = await tx
          .update(table)
          .set({ rotation: sql`${table.rotation} + 1`, usedAt: now(), expiresAt })
          .where(and(eq(table.id, id), eq(table.rotation, rotation), goesOn()))
          .returning();
        if (next) {
          const user = await activeUser(tx, next.userId);
          return user && { user, rotation: next.rotation, expiresAt };
        }
        const [reused] = await tx
          .update(table)
          .set({ endedAt: now(), endReason: "reuse" satisfies EndReason })
          .where(and(eq(table.id, id), gt(table.rotation, rotation), isNull(table.endedAt)))
          .returning();
        if (reused) {
          const [owner] = await tx.select().from(users).where(eq(users.id, reused.userId));
          await audit(tx, owner!.username, "end session", id, null, { reason: "reuse", rotation });
        }
        return undefined; // thrown behind the commit: what a transaction throws in has not happened
      });
      if (!taken) throw new LoginRefused("The refresh token is not valid: log in again");
      return taken;
    },
    userOf: (id) =>
      control.read(async (db) => {
        const [row] = await db
          .select({ user: users })
          .from(table)
          .innerJoin(users, eq(users.id, table.userId))
          .where(and(eq(table.id, id), goesOn(), eq(users.disabled, false), isNull(users.removedAt)));
        return row && userOf(row.user);
      }),
    list: (userId) =>
      control.read(async (db) => {
        const rows = await db
          .select()
          .from(table)
          .where(and(eq(table.userId, userId), goesOn()))
          .orderBy(desc(table.createdAt), desc(table.id));
        return rows.map(({ rotation: _, ...session }) => session);
      }),
    end: (id, userId, reason, by) =>
      control.change(async (tx) => {
        const [ended] = await tx
          .update(table)
          .set({ endedAt: now(), endReason: reason })
          .where(and(eq(table.id, id), eq(table.userId, userId), isNull(table.endedAt)))
          .returning();
        if (ended) await audit(tx, by, "end session", id, null, { reason });
        return ended !== undefined;
      }),
  };
}

async function activeUser(tx: Transaction, id: number): Promise<User | undefined> {
  const [row] = await tx
    .select()
    .from(users)
    .where(and(eq(users.id, id), eq(users.disabled, false), isNull(users.removedAt)));
  return row && userOf(row);
}

const endThose = (tx: Transaction, which: ReturnType<typeof or>, endReason: EndReason) =>
  tx.update(table).set({ endedAt: sql`now()`, endReason }).where(and(which, isNull(table.endedAt))); // biome-ignore format: one statement

/** All of a user's, as a part of changing it. */
export const endSessionsOf = (tx: Transaction, userId: number, reason: EndReason) =>
  endThose(tx, eq(table.userId, userId), reason);

const audit = (tx: Transaction, who: string, action: string, id: string, before: unknown, after: unknown) =>
  writeAudit(tx, [{ who, action, subject: `session ${id}`, before, after }]);
