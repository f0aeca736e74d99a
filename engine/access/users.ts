/** Users, in the control store. Every change is in the audit log. */
import { writeAudit } from "../control/changes.ts";
import { and, asc, eq, isNull, sql } from "../control/drizzle.ts";
import type { Control, Database, Transaction } from "../control/open.ts";
import { users as table } from "../control/schema.ts";
import { AccessConflict, AccessInvalid } from "./errors.ts";
import { revokeKeysOf } from "./keys.ts";
import { checkPassword, hashPassword } from "./password.ts";
import { ROLES, type Role } from "./roles.ts";
import { endSessionsOf } from "./sessions.ts";
import { type User, userOf } from "./user.ts";

export interface UserChange {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  /** Ends all of its sessions. */
  readonly password?: string | undefined;
}

export const MAX_USERS = 10_000;
/** Lower case; owners and `who` are names, and these are others. */
const USERNAME = /^[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?$/;
const RESERVED = new Set(["engine", "anonymous", "system", "token", "api", "root-token"]);

/** "user": one change of users at a time, so that there is always an administrator. */
const LOCK = 0x75736572;

export interface UserStore {
  /** @param by who does it, for the audit log @throws AccessInvalid, AccessConflict when the name is taken, ControlUnavailable */
  add(user: { username: string; password: string; role: Role }, by: string): Promise<User>;
  /** By id. @throws ControlUnavailable */
  list(page: { limit: number; offset: number }): Promise<{ users: User[]; total: number }>;
  get(id: number): Promise<User | undefined>;
  find(username: string): Promise<User | undefined>;
  /** Whether there is one that is not disabled. */
  hasAdmin(): Promise<boolean>;
  /** @returns undefined: there is none @throws AccessConflict when no administrator would be left, AccessInvalid, ControlUnavailable */
  change(id: number, change: UserChange, by: string): Promise<User | undefined>;
  /** Its sessions and keys end, its name stays taken: what it made is its own. */
  remove(id: number, by: string): Promise<User | undefined>;
}

export function createUserStore(control: Control): UserStore {
  const one = async (condition: ReturnType<typeof eq>) =>
    (await control.read((db) => read(db, condition))).map(userOf)[0];

  return {
    async add({ username, password, role }, by) {
      const name = checkUsername(username);
      checkRole(role);
      checkPassword(password, name);
      const passwordHash = await hashPassword(password);
      return control.change(async (tx) => {
        await lock(tx);
        const [taken] = await tx.select().from(table).where(eq(table.username, name));
        if (taken)
          throw new AccessConflict(
            `Cannot add the user "${name}": ${taken.removedAt ? "one of that name was removed, and owns what it made" : "there is one"}, expected another name`,
          );
        const [{ count }] = (await tx.select({ count: sql<number>`count(*)::int` }).from(table)) as [{ count: number }];
        if (count >= MAX_USERS)
          throw new AccessConflict(
            `Cannot add the user "${name}": there are ${count}, expected fewer than ${MAX_USERS}`,
          );
        const [row] = await tx.insert(table).values({ username: name, passwordHash, role }).returning();
        const made = userOf(row!);
        await audit(tx, by, "add user", name, null, said(made));
        return made;
      });
    },
    list: ({ limit, offset }) =>
      control.read(async (db) => {
        const rows = await read(db).orderBy(asc(table.id)).limit(limit).offset(offset);
        const [row] = await db.select({ total: sql<number>`count(*)::int` }).from(table).where(isNull(table.removedAt));
        return { users: rows.map(userOf), total: row!.total };
      }),
    get: (id) => one(eq(table.id, id)),
    find: (username) => one(eq(table.username, username.toLowerCase())),
    hasAdmin: async () => (await control.read((db) => read(db, eq(table.role, "admin")))).map(userOf).some(isAdmin),
    async change(id, { role, disabled, password }, by) {
      if (role !== undefined) checkRole(role);
      const known = await one(eq(table.id, id));
      if (!known) return undefined;
      if (password !== undefined) checkPassword(password, known.username);
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      return control.change(async (tx) => {
        await lock(tx);
        const [before] = (await read(tx, eq(table.id, id))).map(userOf);
        if (!before) return undefined;
        const [row] = await tx
          .update(table)
          .set({
            ...(role !== undefined && { role }),
            ...(disabled !== undefined && { disabled }),
            ...(passwordHash !== undefined && { passwordHash, passwordChangedAt: sql`now()` }),
            updatedAt: sql`now()`,
          })
          .where(eq(table.id, id))
          .returning();
        const after = userOf(row!);
        await keepAdmin(tx, before, after);
        if (passwordHash !== undefined || disabled === true)
          await endSessionsOf(tx, id, passwordHash === undefined ? "disabled" : "password");
        const action = passwordHash === undefined ? "change user" : "change password";
        await audit(tx, by, action, before.username, said(before), said(after));
        return after;
      });
    },
    remove: (id, by) =>
      control.change(async (tx) => {
        await lock(tx);
        const [before] = (await read(tx, eq(table.id, id))).map(userOf);
        if (!before) return undefined;
        await keepAdmin(tx, before, undefined);
        await tx
          .update(table)
          .set({ passwordHash: null, disabled: true, removedAt: sql`now()`, updatedAt: sql`now()` })
          .where(eq(table.id, id));
        await endSessionsOf(tx, id, "removed");
        await revokeKeysOf(tx, id);
        await audit(tx, by, "remove user", before.username, said(before), null);
        return before;
      }),
  };
}

/** @returns in lower case @throws AccessInvalid */
export function checkUsername(username: string): string {
  const name = username.toLowerCase();
  if (!USERNAME.test(name) || RESERVED.has(name))
    throw new AccessInvalid(
      "username",
      `Cannot take the name "${username.slice(0, 64)}": expected 1 to 64 of a-z 0-9 . _ @ -, beginning and ending with a letter or digit, and none of ${[...RESERVED].join(", ")}`,
    );
  return name;
}

function checkRole(role: string): void {
  if (!ROLES.includes(role as Role))
    throw new AccessInvalid("role", `Cannot take the role "${role.slice(0, 64)}": expected one of ${ROLES.join(", ")}`);
}

const lock = (tx: Transaction) => tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`);

const read = (db: Database | Transaction, condition?: ReturnType<typeof eq>) =>
  db
    .select()
    .from(table)
    .where(and(isNull(table.removedAt), condition));

/** What the audit log shows of a user. */
const said = ({ role, disabled, passwordChangedAt }: User) => ({
  role,
  disabled,
  password_changed_at: passwordChangedAt.toISOString(),
});

const audit = (tx: Transaction, who: string, action: string, name: string, before: unknown, after: unknown) =>
  writeAudit(tx, [{ who, action, subject: `user ${name}`, before, after }]);

const isAdmin = (user: User | undefined): boolean => user?.role === "admin" && !user.disabled;

/** @throws AccessConflict when `before` was the last administrator, and would be none */
async function keepAdmin(tx: Transaction, before: User, after: User | undefined): Promise<void> {
  if (!isAdmin(before) || isAdmin(after)) return;
  const admins = (await read(tx, eq(table.role, "admin"))).map(userOf).filter(isAdmin);
  if (admins.every(({ id }) => id === before.id))
    throw new AccessConflict(
      `Cannot take away the last administrator "${before.username}": nobody could manage users, expected another one before that`,
      { next: "npx weir user add NAME --role admin" },
    );
}
