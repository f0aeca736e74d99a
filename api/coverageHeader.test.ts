import { Hono } from "hono";
import { expect, test } from "vitest";
import type { CoverageOfChains } from "../engine/source/rpc/coverage.ts";
import { coverageHeader, describeCoverage } from "./coverageHeader.ts";

const LIMITS = { seconds: 300, byChain: { 56: 60 } };
const NOW = 1_717_200_000_000;
const stretch = (chainId: number, to: number, secondsAgo: number, source = "watch tx_raw") => ({
  ...{ chainId, source, from: 1, to, headBlock: null, proven: true },
  ...{ startedAt: new Date(0), updatedAt: new Date(NOW - 1_000 * secondsAgo) },
});
const COVERAGE: CoverageOfChains = {
  stretches: [stretch(56, 9, 61), stretch(1, 5, 90), stretch(1, 20, 60), stretch(10, 3, 1, "backfill tx_raw 1-3")],
  pending: [
    { chainId: 1, source: "watch tx_raw", node: "n", via: "pool", since: new Date(0), until: new Date(NOW - 301_000), reason: null }, // biome-ignore format: a line
  ],
};

test("says of each watched chain where it is, when it was heard of, and whether that is too long ago", () => {
  expect(describeCoverage(COVERAGE, LIMITS, NOW)).toBe(
    "1;block=20;blocks=@1717199940;pending=@1717199699;pending-silent, 56;block=9;blocks=@1717199939;blocks-silent",
  );
  expect(describeCoverage({ stretches: [], pending: [] }, LIMITS, NOW)).toBe("none");
});

test("is on lists alone, asks the control store every few seconds, and is unknown while that is away", async () => {
  const answer = async (read: () => Promise<CoverageOfChains>, path: string): Promise<string | null> => {
    const app = new Hono();
    app.use(coverageHeader(read, LIMITS));
    app.get("/list", (c) => c.json([], 200, { "x-total-count": "0" }));
    app.get("/one", (c) => c.json({}));
    await app.request(path);
    return (await app.request(path)).headers.get("x-coverage");
  };
  let asked = 0;
  const read = async () => {
    asked++;
    return COVERAGE;
  };
  expect(await answer(read, "/list")).toMatch(/^1;block=20;/);
  expect(asked).toBe(1);
  expect(await answer(read, "/one")).toBeNull();
  expect(await answer(() => Promise.reject(new Error("away")), "/list")).toBe("unknown");
});
