/** Tells when a rule was saved: its source or what it imports beside it; of a module, its bytes. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ruleSources } from "../../../rules-as/cli/sources.ts";

/** A few small files, read twice a second: works wherever the folder lies and however an editor saves. */
const EVERY_MS = 500;

/** Yields at once, and then after each change, until the process ends. */
export async function* whenChanged(file: string): AsyncGenerator<void> {
  let before: string | undefined;
  for (;;) {
    const now = contentOf(file) ?? before;
    if (before === undefined || now !== before) yield;
    before = now;
    await setTimeout(EVERY_MS);
  }
}

/** undefined while an editor has the file away */
function contentOf(file: string): string | undefined {
  try {
    return file.endsWith(".ts") ? JSON.stringify(ruleSources(resolve(file))) : readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
