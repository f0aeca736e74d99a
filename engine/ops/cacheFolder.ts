/** Where things are kept that cost time to make and can be made again: `$XDG_CACHE_HOME/weir`, or `~/.cache/weir`. */
import { homedir } from "node:os";
import { join } from "node:path";

export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "weir");

/** Codes of a cache that cannot be used, which is no reason not to work without. */
export const UNUSABLE: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "ENOSPC",
  "EDQUOT",
]);
