/** Users, logins, sessions and keys over a real control store, with a clock of the test's own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { actingAs } from "../control/actor.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { type Access, createAccess } from "./access.ts";
import { AccessConflict, AccessInvalid, LoginLocked, LoginRefused } from "./errors.ts";
import { FREE_FAILURES, lockSeconds } from "./login.ts";
import { MAX_SESSIONS, SESSION_DAYS } from "./sessions.ts";

const PASSWORD = "correct horse battery";
const DAY = 86_400_000;

let folder: string;
let control: Control;
let access: Access;
let time = Date.parse("2030-01-01T00:00:00Z");
const wait = (ms: number) => (time += ms);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-access-"));
  control = openControl({ folder });
  await migrateControl(control);
  access = createAccess({ control, secret: "a secret for tests only", now: () => new Date(time) });
});
afterAll(async () => {
  await control?.close();
  await stopEmbedded(folder);
  await rm(folder, { recursive: true, force: true });
});

const rows = async (query: string) => (await control.read((db) => db.execute(sql.raw(query)))).rows;
const audited = async (subject: string) =>
  (await rows(`SELECT who || ': ' || action AS entry FROM audit_log WHERE subject = '${subject}' ORDER BY id`)).map(
    ({ entry }) => entry,
  );
const add = (username: string, role: "viewer" | "user" | "admin" = "user") =>
  access.users.add({ username, password: PASSWORD, role }, "tester");

describe("users", () => {
  test("are added with a hash of their password, and each change is in the audit log with where it came from", async () => {
    const root = await actingAs({ ip: "192.0.2.1", via: "token" }, () => add("Root", "admin"));
    expect(root).toMatchObject({ username: "root", role: "admin", disabled: false, lastLoginAt: null });
    expect(root).not.toHaveProperty("passwordHash");
    const [{ password_hash }] = (await rows("SELECT password_hash FROM users")) as [{ password_hash: string }];
    expect(password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await rows("SELECT who, action, subject, ip, via, after->>'role' AS role FROM audit_log")).toEqual([
      { who: "tester", action: "add user", subject: "user root", ip: "192.0.2.1", via: "token", role: "admin" },
    ]);
    expect(JSON.stringify(await rows("SELECT * FROM audit_log"))).not.toContain("argon2id");
  });

  test("that cannot be are refused with what is wrong", async () => {
    for (const username of ["", "-x", "a b", "x'; DROP TABLE users; --", "engine", "é", "a".repeat(65), "x\n"])
      await expect(access.users.add({ username, password: PASSWORD, role: "user" }, "t"), username).rejects.toThrow(
        AccessInvalid,
      );
    for (const password of ["short", "admin123456", "x".repeat(257), "ababababababab", "my-name-is-mallory"])
      await expect(access.users.add({ username: "mallory", password, role: "user" }, "t"), password).rejects.toThrow(
        /^Cannot take the password/,
      );
    await expect(add("ROOT")).rejects.toThrow('Cannot add the user "root": there is one, expected another name');
    await expect(add("mallory", "god" as never)).rejects.toThrow("expected one of viewer, user, admin");
    expect((await access.users.list({ limit: 10, offset: 0 })).total).toBe(1);
  });

  test("keep an administrator, whatever is done at once", async () => {
    const root = (await access.users.find("root"))!;
    for (const change of [{ role: "user" }, { disabled: true }] as const)
      await expect(access.users.change(root.id, change, "t")).rejects.toThrow(AccessConflict);
    await expect(access.users.remove(root.id, "t")).rejects.toThrow("the last administrator");
    const other = await add("second", "admin");
    const both = await Promise.allSettled([root, other].map(({ id }) => access.users.remove(id, "t")));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const { users } = await access.users.list({ limit: 10, offset: 0 });
    expect(users.filter(({ role }) => role === "admin")).toHaveLength(1);
    const removed = users.some(({ username }) => username === "root") ? "second" : "root";
    await expect(add(removed)).rejects.toThrow("one of that name was removed");
    expect(await access.users.find(removed)).toBeUndefined();
  });
});

describe("a login", () => {
  test("takes the right password alone, and says nothing else", async () => {
    await add("alice");
    expect(await access.logIn("Alice", PASSWORD)).toMatchObject({ username: "alice", lastLoginAt: new Date(time) });
    for (const [name, password] of [["alice", "wrong password!"], ["nobody", PASSWORD], ["alice", ""], ["' OR 1=1 --", PASSWORD], ["alice", "x".repeat(100_000)]] as const)
      await expect(access.logIn(name, password)).rejects.toThrow(/^Wrong username or password$/); // biome-ignore format: pairs
    await access.logIn("alice", PASSWORD);
  });

  test("is locked after failures, for longer each time, whether there is such a user or not", async () => {
    expect([1, FREE_FAILURES, 5, 6, 7, 8, 9, 100].map(lockSeconds)).toEqual([0, 0, 60, 120, 240, 480, 900, 900]);
    await add("bob");
    for (const name of ["bob", "ghost"]) {
      for (let n = 0; n <= FREE_FAILURES; n++)
        await expect(access.logIn(name, "wrong password!")).rejects.toThrow(LoginRefused);
      await expect(access.logIn(name, PASSWORD)).rejects.toMatchObject({ retryAfterSeconds: 60 });
    }
    wait(59_000);
    await expect(access.logIn("bob", PASSWORD)).rejects.toMatchObject({ retryAfterSeconds: 1 });
    wait(1_000);
    await expect(access.logIn("bob", "wrong password!")).rejects.toThrow(LoginRefused);
    await expect(access.logIn("bob", PASSWORD)).rejects.toMatchObject({ retryAfterSeconds: 120 });
    wait(120_000);
    await access.logIn("bob", PASSWORD);
    await expect(access.logIn("bob", "wrong password!")).rejects.toThrow(LoginRefused); // the first again
    await access.logIn("bob", PASSWORD);
    expect(await audited("user bob")).toEqual(["tester: add user", "bob: lock out", "bob: lock out"]);
    expect(await audited("user ghost")).toEqual([]);
  });

  test("cannot be guessed many times at once", async () => {
    await add("carol");
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => access.logIn("carol", `wrong password ${n}`)),
    );
    const reasons = tries.map((each) => (each as PromiseRejectedResult).reason as Error);
    expect(reasons.filter((error) => error instanceof LoginRefused)).toHaveLength(FREE_FAILURES + 1);
    expect(reasons.filter((error) => error instanceof LoginLocked)).toHaveLength(20 - FREE_FAILURES - 1);
    wait(DAY + 1);
    await access.logIn("carol", PASSWORD);
    expect(await rows("SELECT username FROM login_failures")).toEqual([]); // forgotten, and so is the ghost
  });

  test("of a disabled user is refused, and so is what it had", async () => {
    const dave = await add("dave");
    const session = await access.sessions.start(dave, { ip: null, userAgent: null });
    const { key } = await access.keys.create(dave, { name: "ci", role: "user" }, "dave");
    expect((await access.keys.find(key))?.user.username).toBe("dave");
    await access.users.change(dave.id, { disabled: true }, "t");
    await expect(access.logIn("dave", PASSWORD)).rejects.toThrow(LoginRefused);
    expect(await access.sessions.userOf(session.id)).toBeUndefined();
    expect(await access.keys.find(key)).toBeUndefined();
    await access.users.change(dave.id, { disabled: false }, "t");
    expect(await access.sessions.userOf(session.id)).toBeUndefined(); // ended
    expect((await access.keys.find(key))?.user.username).toBe("dave"); // kept
  });
});

describe("a session", () => {
  test("has one valid refresh token; one that was used before ends it for both who have it", async () => {
    const erin = await add("erin");
    const { id } = await access.sessions.start(erin, { ip: "192.0.2.9", userAgent: "test" });
    expect(await access.sessions.rotate(id, 0)).toMatchObject({ rotation: 1, user: { username: "erin" } });
    expect(await access.sessions.rotate(id, 1)).toMatchObject({ rotation: 2 });
    await expect(access.sessions.rotate(id, 1)).rejects.toThrow(LoginRefused);
    await expect(access.sessions.rotate(id, 2)).rejects.toThrow(LoginRefused);
    expect(await access.sessions.userOf(id)).toBeUndefined();
    expect(await rows(`SELECT end_reason FROM sessions WHERE id = '${id}'`)).toEqual([{ end_reason: "reuse" }]);
    expect(await audited(`session ${id}`)).toEqual(["erin: login", "erin: end session"]);
  });

  test("gives one of two who refresh at once the next token, and the other ends it", async () => {
    const { id } = await access.sessions.start((await access.users.find("erin"))!, { ip: null, userAgent: null });
    const both = await Promise.allSettled([access.sessions.rotate(id, 0), access.sessions.rotate(id, 0)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await access.sessions.userOf(id)).toBeUndefined();
  });

  test("expires, ends by logout of its own user alone, with a new password, and when there are too many", async () => {
    const frank = await add("frank");
    const start = async () => (await access.sessions.start(frank, { ip: null, userAgent: null })).id;
    const first = await start();
    expect(await access.sessions.end(first, frank.id + 1, "logout", "mallory")).toBe(false);
    expect(await access.sessions.end(first, frank.id, "logout", "frank")).toBe(true);
    expect(await access.sessions.end(first, frank.id, "logout", "frank")).toBe(false);
    const second = await start();
    wait(SESSION_DAYS * DAY);
    expect(await access.sessions.userOf(second)).toBeUndefined();
    await expect(access.sessions.rotate(second, 0)).rejects.toThrow(LoginRefused);
    const third = await start();
    await access.users.change(frank.id, { password: "another good password" }, "frank");
    expect(await access.sessions.userOf(third)).toBeUndefined();
    const many: string[] = [];
    for (let n = 0; n <= MAX_SESSIONS; n++) {
      many.push(await start());
      wait(1);
    }
    expect((await access.sessions.list(frank.id)).map(({ id }) => id)).toEqual(many.slice(1).reverse());
  });
});

describe("an API key", () => {
  test("is found by all of it, until it expires or is revoked; what it may do its user may, too", async () => {
    const gina = await add("gina");
    const { key, info } = await access.keys.create(gina, { name: "ci", role: "admin", expiresInDays: 30 }, "gina");
    expect(key).toMatch(/^weir_[0-9a-f]{8}_[\w-]{43}$/);
    expect(info).toMatchObject({ name: "ci", role: "user", uses: 0, expiresAt: new Date(time + 30 * DAY) });
    expect(info).not.toHaveProperty("hash");
    expect(await access.keys.find(key)).toMatchObject({ role: "user", user: { username: "gina" } });
    for (const wrong of [
      `${key.slice(0, -1)}A`,
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
      info.prefix,
      "",
      "weir_",
    ])
      if (wrong !== key) expect(await access.keys.find(wrong), wrong).toBeUndefined();
    wait(30 * DAY - 1);
    expect(await access.keys.find(key)).toBeDefined();
    wait(1);
    expect(await access.keys.find(key)).toBeUndefined();

    const other = await access.keys.create(gina, { name: "forever", role: "viewer" }, "gina");
    expect(await access.keys.find(other.key)).toMatchObject({ role: "viewer" });
    expect(await access.keys.revoke(other.info.id, gina.id + 1, "mallory")).toBeUndefined();
    expect(await access.keys.find(other.key)).toBeDefined();
    expect(await access.keys.revoke(other.info.id, gina.id, "gina")).toMatchObject({ name: "forever" });
    expect(await access.keys.find(other.key)).toBeUndefined();
    expect(await audited(`key ${other.info.prefix}`)).toEqual(["gina: add key", "gina: revoke key"]);
    const kept = JSON.stringify(await rows("SELECT encode(hash, 'hex'), a.* FROM api_keys, audit_log a"));
    expect(kept).not.toContain(key.slice(14));
  });

  test("counts its uses, and keeps the counts while they cannot be written", async () => {
    const gina = (await access.users.find("gina"))!;
    const { info } = await access.keys.create(gina, { name: "counted", role: "user" }, "gina");
    for (let n = 0; n < 3; n++) access.keys.used(info.id, `192.0.2.${n}`);
    const { change } = control;
    (control as { change: unknown }).change = () => Promise.reject(new Error("away"));
    await expect(access.keys.flush()).rejects.toThrow("away");
    (control as { change: unknown }).change = change;
    access.keys.used(info.id, "192.0.2.7");
    await access.keys.flush();
    await access.keys.flush();
    const [found] = (await access.keys.list(gina.id)).filter(({ id }) => id === info.id);
    expect(found).toMatchObject({ uses: 4, lastIp: "192.0.2.7", lastUsedAt: new Date(time), username: "gina" });
  });

  test("that cannot be is refused", async () => {
    const gina = (await access.users.find("gina"))!;
    for (const wrong of [{ name: " " }, { name: "x".repeat(129) }, { expiresInDays: 0 }, { expiresInDays: 1.5 }, { expiresInDays: 3651 }, { allowIps: [] }, { allowIps: ["10.0.0.0/33"] }, { allowIps: ["evil.example"] }])
      await expect(access.keys.create(gina, { name: "x", role: "user", ...wrong }, "gina")).rejects.toThrow(AccessInvalid); // biome-ignore format: a table
  });
});

test("tokens are good for what they were made, by who has the secret, and for as long as they say", async () => {
  const { tokens } = access;
  const token = await tokens.access("s1", 7);
  expect(await tokens.readAccess(token)).toMatchObject({ session: "s1", user: 7 });
  const refresh = await tokens.refresh("s1", 3, new Date(time + DAY));
  expect(await tokens.readRefresh(refresh)).toEqual({ session: "s1", rotation: 3 });
  expect([await tokens.readAccess(refresh), await tokens.readRefresh(token), await tokens.readTicket(token)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const none = `${btoa('{"alg":"none"}').replace(/=/g, "")}.${token.split(".")[1]}.`;
  const [head, body, signature] = token.split(".") as [string, string, string];
  const forged = Buffer.from(body, "base64url").toString().replace('"7"', '"1"');
  for (const wrong of [none, "", "a.b.c", `${head}.${Buffer.from(forged).toString("base64url")}.${signature}`])
    expect(await tokens.readAccess(wrong), wrong).toBeUndefined();
  const elsewhere = createAccess({ control, secret: "another secret of tests", now: () => new Date(time) }).tokens;
  expect(await elsewhere.readAccess(token)).toBeUndefined();
  wait(900_000);
  expect(await tokens.readAccess(token)).toBeUndefined();
  wait(2 * DAY);
  expect(await tokens.readRefresh(refresh)).toEqual({ session: "s1", rotation: 3 }); // the session knows that it is over
});
