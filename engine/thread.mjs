/**
 * What a worker thread begins with where its process runs the sources as they are (vitest): a thread inherits no TypeScript
 * loader there. It takes the thread's bundle, 0.1 s of CPU where a loader of its own takes 1.5 s.
 */
import { pathToFileURL } from "node:url";
import { runnable } from "./bundle.mjs";

/**
 * @param {string} entry one that `runnable` knows
 * @returns {Promise<Record<string, unknown>>} its module
 */
export async function importEntry(entry) {
  const args = await runnable(entry);
  if (args.length > 1) (await import("tsx/esm/api")).register(); // no bundle can be kept
  return import(pathToFileURL(args.at(-1)).href);
}
