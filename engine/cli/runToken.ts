/**
 * The token of a run: who starts a Weir that nobody has set up yet should need nothing else. It is made anew for each start, shown there,
 * and kept in a file that only its owner can read, so that commands beside it find it.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Access } from "../access/access.ts";
import type { Config } from "../ops/config.ts";

const fileOf = (data: string, port: number): string => join(data, `token-${port}`);

/** @returns undefined: there is a token or an administrator, and this one would be one more way in */
export async function makeRunToken({ api }: Config, access: Access): Promise<string | undefined> {
  if (api.token !== undefined || (await access.users.hasAdmin())) return undefined;
  return randomBytes(24).toString("base64url");
}

/** @param port that the API took @returns takes it away again, unless another run has put its own there */
export async function keepRunToken({ data }: Config, port: number, token: string): Promise<() => Promise<void>> {
  const file = fileOf(data, port);
  await mkdir(data, { recursive: true });
  await rm(file, { force: true }); // the mode below is of a new file
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return async () => {
    const there = await readFile(file, "utf8").catch(() => "");
    if (there.trim() === token) await rm(file, { force: true });
  };
}

/** For commands: the token of the Weir that this configuration runs, if it made one. */
export function readRunToken({ data, api }: Config): string | undefined {
  try {
    return readFileSync(fileOf(data, api.port), "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
