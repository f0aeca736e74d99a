import { readFileSync } from "node:fs";

/** Weir's own, as the root's package.json has it: for --version, /health and the API's description. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
