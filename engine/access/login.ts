/** A name and a password, given from anywhere: counted before the password is looked at, so that many at once gain nothing. */
import { writeAudit } from "../control/changes.ts";
import { and, eq, isNull, lt, sql } from "../control/drizzle.ts";
import type { Control } from "../control/open.ts";
import { loginFailures, users } from "../control/schema.ts";
import { LoginLocked, LoginRefused } from "./errors.ts";
import { isPassword } from "./password.ts";
import { type User, userOf } from "./user.ts";

/** Wrong passwords in a row that cost nothing. */
export const FREE_FAILURES = 4;
const FIRST_LOCK_S = 60;
const LONGEST_LOCK_S = 900;
const FORGOTTEN_AFTER_MS = 24 * 3600_000;

/** 0 s, then 1, 2, 4, 8 minutes, then 15. @param failures in a row, this one included */
export const lockSeconds = (failures: number): number =>
  failures <= FREE_FAILURES ? 0 : Math.min(LONGEST_LOCK_S, FIRST_LOCK_S * 2 ** (failures - FREE_FAILURES - 1));

/**
 * @returns the user, when the password is its own and it is not disabled
 * @throws LoginRefused, LoginLocked, ControlUnavailable; ServiceUnavailable while too many passwords are looked at
 */
export async function logIn(
  control: Control,
  { username, password, now }: { username: string; password: string; now: Date },
): Promise<User> {
  const name = username.toLowerCase();
  const failures = await control.change(async (tx) => {
    await tx.delete(loginFailures).where(lt(loginFailures.lastAt, new Date(now.getTime() - FORGOTTEN_AFTER_MS)));
    const [counted] = await tx
      .insert(loginFailures)
      .values({ username: name, failures: 1, lastAt: now, lockedUntil: now })
      .onConflictDoUpdate({
        target: loginFailures.username,
        set: { failures: sql`${loginFailures.failures} + 1`, lastAt: now },
        setWhere: sql`${loginFailures.lockedUntil} <= ${now.toISOString()}::timestamptz`,
      })
      .returning({ failures: loginFailures.failures });
    if (counted === undefined) {
      const [row] = await tx.select().from(loginFailures).where(eq(loginFailures.username, name));
      throw new LoginLocked(Math.ceil((row!.lockedUntil.getTime() - now.getTime()) / 1000));
    }
    const seconds = lockSeconds(counted.failures);
    if (seconds > 0) {
      const lockedUntil = new Date(now.getTime() + seconds * 1000);
      await tx.update(loginFailures).set({ lockedUntil }).where(eq(loginFailures.username, name));
    }
    return counted.failures;
  });
  const [row] = await control.read((db) =>
    db
      .select()
      .from(users)
      .where(and(eq(users.username, name), isNull(users.removedAt))),
  );
  const right = await isPassword(password, row?.passwordHash);
  if (!right || row === undefined || row.disabled) {
    const seconds = lockSeconds(failures);
    if (seconds > 0 && row !== undefined)
      await control.change((tx) =>
        writeAudit(tx, [
          { who: name, action: "lock out", subject: `user ${name}`, before: null, after: { failures, seconds } },
        ]),
      );
    throw new LoginRefused("Wrong username or password");
  }
  return control.change(async (tx) => {
    await tx.delete(loginFailures).where(eq(loginFailures.username, name));
    const [after] = await tx.update(users).set({ lastLoginAt: now }).where(eq(users.id, row.id)).returning();
    return userOf(after!);
  });
}
