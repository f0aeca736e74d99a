import { readFileSync, rmSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "./errors.ts";

/**
 * Takes a lock that one process may hold: a file with its pid. One whose process is gone is taken over.
 * @param what completes the sentence `Cannot <what>`
 * @returns gives it back; the end of the process does so, too
 * @throws UserError that names the process that holds it
 */
export async function holdExclusively(path: string, what: string): Promise<() => void> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      const release = (): void => {
        process.off("exit", release);
        rmSync(path, { force: true });
      };
      process.on("exit", release);
      return release;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = holderOf(path);
    if (holder !== undefined && isAlive(holder))
      throw new UserError(`Cannot ${what}: process ${holder} is at it`, {
        next: `Wait for it, or stop it; if it is none of ours, remove ${path}`,
      });
    rmSync(path, { force: true });
  }
}

/** undefined: it is gone by now, or was left empty by a process that was killed in between. */
function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
