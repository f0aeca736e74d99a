/**
 * Who was looking: a header of all lists, so that "no alert" differs from "not looking". A structured field (RFC 9651), an item a chain that is
 * watched:
 *
 *     x-coverage: 1;block=20000000;blocks=@1717200000;pending=@1717200003, 56;block=39000000;blocks=@1717190000;blocks-silent
 *
 * `blocks` and `pending` are when the watcher last put any; with `-silent` that is longer ago than WEIR_SILENT_AFTER. `none`: no chain is
 * watched; `unknown`: the control store cannot be reached.
 */
import type { MiddlewareHandler } from "hono";
import { channelsOf, isSilent, type SilenceLimits } from "../engine/lookout/silence.ts";
import type { CoverageOfChains } from "../engine/source/rpc/coverage.ts";

/** Watchers write as often. */
const FRESH_MS = 5_000;

export function coverageHeader(read: () => Promise<CoverageOfChains>, limits: SilenceLimits): MiddlewareHandler {
  let asked = -Infinity;
  let answer: Promise<string> = Promise.resolve("unknown");
  const now = (): Promise<string> => {
    if (performance.now() - asked > FRESH_MS) {
      asked = performance.now();
      answer = read().then(
        (coverage) => describeCoverage(coverage, limits, Date.now()),
        () => "unknown", // it says so; /health says why
      );
    }
    return answer;
  };
  return async (c, next) => {
    await next();
    if (c.res.headers.has("x-total-count")) c.res.headers.set("x-coverage", await now());
  };
}

/** @param now Unix ms */
export function describeCoverage(coverage: CoverageOfChains, limits: SilenceLimits, now: number): string {
  const channels = channelsOf(coverage);
  const chains = [...new Set(channels.map(({ chainId }) => chainId))].sort((a, b) => a - b);
  const items = chains.map((id) => {
    const watched = coverage.stretches.filter(({ chainId, source }) => chainId === id && source.startsWith("watch "));
    const parts = watched.length > 0 ? [`block=${Math.max(...watched.map(({ to }) => to))}`] : [];
    for (const kind of ["blocks", "pending"] as const) {
      const own = channels.filter(({ chainId, channel }) => chainId === id && channel === kind);
      if (own.length === 0) continue;
      parts.push(`${kind}=@${Math.floor(Math.max(...own.map(({ lastAt }) => lastAt.getTime())) / 1_000)}`);
      if (own.some((channel) => isSilent(channel, limits, now))) parts.push(`${kind}-silent`);
    }
    return [id, ...parts].join(";");
  });
  return items.join(", ") || "none";
}
