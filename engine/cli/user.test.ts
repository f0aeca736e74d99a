/** `weir user` and `weir key` as they are typed, over one embedded control store. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { createAccess } from "../access/access.ts";
import { openControl } from "../control/open.ts";

test("the first administrator, a key, and what is refused", async () => {
  const data = await mkdtemp(join(tmpdir(), "weir-user-"));
  const folder = join(data, "clickhouse");
  const weir = (args: string[], input = "") =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, WEIR_DATA: data };
      const child = execFile("node", ["engine/weir.mjs", ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
      child.stdin!.end(input);
    });
  try {
    const added = await weir(["user", "add", "Root", "--role", "admin"], "correct horse battery\nsecond line\n");
    expect([added.code, JSON.parse(added.stdout || added.stderr)]).toEqual([0, expect.objectContaining({ username: "root", role: "admin" })]); // biome-ignore format: one line
    const without = await weir(["user", "add", "alice"]);
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringContaining("Cannot read a password: stdin has none"),
    ]);
    const sample = await weir(["user", "add", "alice"], "admin123456");
    expect([sample.code, sample.stderr]).toEqual([1, expect.stringContaining("Cannot take the password")]);
    const made = await weir(["key", "create", "--user", "root", "--name", "ci", "--days", "90", "--role", "viewer"]);
    const { key, prefix } = JSON.parse(made.stdout) as { key: string; prefix: string };
    const refused = await weir(["user", "set", "root", "--disable"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("the last administrator")]);

    const control = openControl({ folder });
    const access = createAccess({ control, secret: "a secret for tests only" });
    expect(await access.logIn("root", "correct horse battery")).toMatchObject({ role: "admin" });
    expect(await access.keys.find(key)).toMatchObject({ role: "viewer" });
    expect((await weir(["key", "revoke", prefix])).code).toBe(0);
    expect(await access.keys.find(key)).toBeUndefined();
    await control.close();
    expect((await weir(["key", "list"])).stdout).toBe("");
  } finally {
    await stopEmbedded(folder);
    await rm(data, { recursive: true, force: true });
  }
});
