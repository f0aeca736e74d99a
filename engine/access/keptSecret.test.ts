import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptSecret } from "./keptSecret.ts";

test("is made once, whoever asks at the same time, and only its owner can read it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-secret-"));
  try {
    const file = join(folder, "deep", "jwt-secret");
    const all = await Promise.all(Array.from({ length: 20 }, () => keptSecret(file)));
    expect(new Set(all).size).toBe(1);
    expect(all[0]).toMatch(/^[\w-]{43}$/);
    expect(await keptSecret(file)).toBe(all[0]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "deep"))).toEqual(["jwt-secret"]);
    expect(await keptSecret(join(folder, "other"))).not.toBe(all[0]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
