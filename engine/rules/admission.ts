import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SANDBOX = fileURLToPath(new URL("../sandbox", import.meta.url));
let id: string | undefined;

/**
 * Names the code that admits modules, by the hash of its files: what it made of a module can be kept under this name, and nobody
 * has to remember to count a version up.
 */
export function admissionId(): string {
  id ??= hashOfFiles(SANDBOX);
  return id;
}

function hashOfFiles(folder: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.(test|bench))\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(entry.slice(folder.length)).update("\0").update(readFileSync(entry)).update("\0");
  return hash.digest("hex").slice(0, 16);
}
