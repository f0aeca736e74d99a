/** Real records for tests, where they are at hand. Who wants nothing else is spared fast-check, and need not run again while nothing has changed. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

let mainnet: Buffer[] | undefined;

/** Lines of the mainnet recording beside the checkout; none, with a word on stderr, where it isn't. */
export function mainnetLines(): readonly Buffer[] {
  mainnet ??= readMainnet();
  return mainnet;
}

function readMainnet(): Buffer[] {
  const path = fileURLToPath(new URL("../../../../shared/data/mainnet.ndjson.gz", import.meta.url));
  if (!existsSync(path)) {
    process.stderr.write(`no mainnet data at ${path}: tested with synthetic transactions only\n`);
    return [];
  }
  const all = gunzipSync(readFileSync(path));
  const lines: Buffer[] = [];
  for (let from = 0; from < all.length; ) {
    const to = all.indexOf(10, from);
    lines.push(all.subarray(from, to < 0 ? all.length : to));
    from = to < 0 ? all.length : to + 1;
  }
  return lines;
}
