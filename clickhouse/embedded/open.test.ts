import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readAddress, writeAddress } from "./lockFile.ts";
import { openEmbedded, stopEmbedded } from "./open.ts";

let folder: string;
const openers: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-open-"));
});
afterEach(async () => {
  for (const process of openers.splice(0)) process.kill("SIGKILL");
  await stopEmbedded(join(folder, "other"));
  await stopEmbedded(folder);
  await rm(folder, { recursive: true, force: true });
});

async function ask({ url, password }: { url: string; password: string }, sql: string): Promise<string> {
  const response = await fetch(url, { method: "POST", body: sql, headers: { "x-clickhouse-key": password } });
  return (await response.text()).trim();
}

/** Another process that opens the folder, prints the child's pid, and stays. */
function opener(): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const module = new URL("./open.ts", import.meta.url).href;
  const code = `import { openEmbedded } from ${JSON.stringify(module)};
    const store = await openEmbedded({ folder: process.argv[1] });
    console.log(store.pid);
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ["--import", tsx, "--input-type=module", "-e", code, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function printedPid(process: ChildProcess): Promise<number> {
  const [line] = (await once(process.stdout!, "data")) as [Buffer];
  return Number(line.toString());
}

describe("openEmbedded()", () => {
  test("two processes that open a folder at once share one child, which survives SIGKILL of both", async () => {
    openers.push(opener(), opener());
    const [one, two] = await Promise.all(openers.map(printedPid));
    expect(one).toBe(two);
    const mine = await openEmbedded({ folder });
    expect(mine.pid).toBe(one);
    expect(getPriority(mine.pid)).toBe(Math.max(5, getPriority())); // it gives way to who asks it
    for (const process of openers) {
      process.kill("SIGKILL");
      await once(process, "exit");
    }
    expect(await ask(mine, "SELECT 1")).toBe("1");
    expect((await readdir(folder)).sort()).toEqual(["data", "store.json", "store.log"]);
    await mine.close();
  });

  test("keeps the secret from other users, and asks everyone for it", async () => {
    const store = await openEmbedded({ folder });
    await store.close();
    expect((await stat(join(folder, "store.json"))).mode & 0o777).toBe(0o600);
    for (const path of ["/ping", "/?query=SELECT%201"]) {
      expect((await fetch(store.url + path)).status).toBe(401);
      expect((await fetch(store.url + path, { headers: { "x-clickhouse-key": "guess" } })).status).toBe(401);
      expect((await fetch(store.url + path, { headers: { "x-clickhouse-key": store.password } })).status).toBe(200);
    }
  });

  test("starts a new child over the address of a dead one, though another program has its pid and port", async () => {
    const other = await openEmbedded({ folder: join(folder, "other") });
    await writeAddress(folder, {
      pid: process.pid,
      port: Number(new URL(other.url).port),
      secret: other.password,
      identity: "not the other's",
      spool: join(folder, "spool"),
      postgres: join(folder, "socket"),
    });
    const store = await openEmbedded({ folder });
    expect(store.url).not.toBe(other.url);
    expect(await ask(store, "SELECT 1")).toBe("1");
    await Promise.all([store.close(), other.stop()]);
  });

  test("finds its rows again after the child was killed", async () => {
    const first = await openEmbedded({ folder });
    await ask(first, "CREATE DATABASE weir");
    await ask(first, "CREATE TABLE weir.t (a UInt8) ENGINE = MergeTree ORDER BY a");
    await ask(first, "INSERT INTO weir.t VALUES (7)");
    process.kill(first.pid, "SIGKILL");
    const second = await openEmbedded({ folder });
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second, "SELECT a FROM weir.t")).toBe("7");
    await Promise.all([first.close(), second.close()]);
  });

  test("a child ends when nobody has asked for a while, and not while somebody holds it open", async () => {
    const store = await openEmbedded({ folder, idleMs: 5_000 }); // a ping is due four times meanwhile
    await sleep(8_000);
    expect(await ask(store, "SELECT 1")).toBe("1");
    await store.close();
    while ((await readAddress(folder)) !== undefined) await sleep(50);
    expect(await readFile(join(folder, "store.log"), "utf8")).toContain("idle for 5000 ms");
  });

  test("SIGTERM lets a running statement end first", async () => {
    const store = await openEmbedded({ folder });
    await store.close();
    let ended = false;
    const slow = ask(store, "SELECT sleep(2), 'done'").finally(() => (ended = true));
    const running = "SELECT count() FROM system.processes WHERE query LIKE '%done%' AND query NOT LIKE '%processes%'";
    while (!ended && (await ask(store, running)) !== "1");
    await store.stop();
    expect(await slow).toContain("done");
    expect(await readAddress(folder)).toBeUndefined();
  });

  test("says why a child cannot start, with the end of its log", async () => {
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data", "metadata"), "a file where chDB wants a folder");
    await expect(openEmbedded({ folder })).rejects.toThrow(/Cannot start the store of .* It said:\n.*metadata/s);
    expect((await readdir(folder)).filter((file) => file.startsWith("store.log"))).toEqual([]);
  });
});
