import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * A secret of 256 random bits that is made when it is first needed, and kept in a file that only its owner can read.
 * Of several processes that need it at once one makes it: a hard link to a whole file succeeds once.
 * @returns as text without spaces
 */
export async function keptSecret(file: string): Promise<string> {
  const known = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known !== undefined) return known.trim();
  await mkdir(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(own, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    await link(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(own);
  }
  return (await readFile(file, "utf8")).trim();
}
