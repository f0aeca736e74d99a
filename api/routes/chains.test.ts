import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRegistry } from "../../engine/chain/registry/registry.ts";
import { createCoverage, type Stretch } from "../../engine/source/rpc/coverage.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { chainSchema, describeChains } from "./chains.ts";

const NOW = Date.UTC(2024, 5, 1);
const stretch = (more: Partial<Stretch>): Stretch => ({
  ...{ chainId: 1, source: "watch tx_raw", from: 100, to: 199, headBlock: 201, proven: true },
  ...{ startedAt: new Date(NOW - 3_600_000), updatedAt: new Date(NOW - 1_000) },
  ...more,
});
const described = (...stretches: Partial<Stretch>[]) =>
  describeChains({ stretches: stretches.map(stretch), pending: [] }, NOW);

describe("describeChains()", () => {
  test("says where a chain is, and how far behind its nodes", () => {
    expect(described({ chainId: 56 })).toMatchObject([
      {
        ...{ id: 56, name: "BSC", chain_id: 56, status: "active", last_synced_block: 199, blocks_behind: 2 },
        ...{ uptime_pct: 100, native_token: "BNB", native_token_usd: null, block_time_seconds: 3, gaps: [] },
      },
    ]);
  });

  test("has the gaps that no source has filled", () => {
    const parts = [
      { from: 10, to: 19 },
      { from: 40, to: 60 },
      { from: 100, to: 199 },
    ];
    const [watched] = described(...parts);
    expect(watched!.gaps).toEqual([
      { from_block: 20, to_block: 39 },
      { from_block: 61, to_block: 99 },
    ]);
    expect(watched!.uptime_pct).toBe(68.94); // 131 of 190 blocks
    const [filled] = described(...parts, { source: "backfill tx_raw 15-45", from: 15, to: 45 });
    expect(filled!.gaps).toEqual([{ from_block: 61, to_block: 99 }]);
  });

  test("has the coin's price where it is configured", () => {
    const registry = createRegistry({ chains: [{ id: 56, name: "BSC", nativeToken: "BNB", nativeUsd: 300 }] });
    const [chain] = describeChains({ stretches: [stretch({ chainId: 56 })], pending: [] }, NOW, registry);
    expect(chain).toMatchObject({ native_token: "BNB", native_token_usd: 300 });
  });

  test("is inactive when its watcher has put nothing for five minutes, or there is none", () => {
    const states = (more: Partial<Stretch>) =>
      described(more).map(({ status, blocks_behind }) => [status, blocks_behind]);
    expect(states({ updatedAt: new Date(NOW - 299_999) })).toEqual([["active", 2]]);
    expect(states({ updatedAt: new Date(NOW - 300_000) })).toEqual([["inactive", 2]]);
    expect(states({ source: "backfill tx_raw 100-199" })).toEqual([["inactive", null]]);
  });

  test("goes by what was put last, and by watchers before backfills; a chain without a name has its id", () => {
    const before = { from: 1, to: 5, updatedAt: new Date(NOW - 9_000) };
    const [chain] = described(
      before,
      { chainId: 1 },
      { source: "backfill tx_raw 7-9", from: 7, to: 9, updatedAt: new Date(NOW) },
    );
    expect(chain).toMatchObject({ last_synced_block: 199 });
    expect(described({ chainId: 31337 })).toMatchObject([
      { name: "31337", native_token: null, block_time_seconds: null },
    ]);
  });
});

describe("GET /api/v1/chains", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server?.close());

  test("answers with what a watcher has written down", async () => {
    expect(await server.read("/api/v1/chains", z.array(chainSchema))).toEqual([]);
    const coverage = createCoverage(server.control, 1, "watch tx_raw");
    const refs = [7, 8, 9].map((number) => ({ number, hash: `0x${String(number).repeat(64)}` }));
    for (const number of [7, 8, 9]) await coverage.block({ number, proof: "proven" }, refs.slice(0, number - 6), 12);
    await coverage.replaced(9, refs.slice(0, 2));
    await coverage.pending({ healthy: true, node: "one.example", via: "subscription", since: NOW });
    await coverage.stillPending(NOW + 60_000);
    await coverage.pending({
      healthy: false,
      node: "one.example",
      via: "subscription",
      since: NOW + 61_000,
      reason: "gone",
    });
    await coverage.block({ number: 20, proof: "linked" }, [], 20);
    expect(await server.read("/api/v1/chains", z.array(chainSchema))).toMatchObject([
      {
        ...{ chain_id: 1, status: "active", last_synced_block: 20, blocks_behind: 0 },
        coverage: [
          { source: "watch tx_raw", from_block: 7, to_block: 8, proven: true },
          { source: "watch tx_raw", from_block: 20, to_block: 20, proven: false },
        ],
        gaps: [{ from_block: 9, to_block: 19 }],
        pending: [
          {
            ...{ node: "one.example", via: "subscription", reason: "gone" },
            ...{ since: "2024-06-01T00:00:00.000Z", until: "2024-06-01T00:01:01.000Z" },
          },
        ],
      },
    ]);
  });

  test("a channel that fell silent is in /health, and in the header of every list", async () => {
    const { status, components } = (await server.get("/health")).body() as { status: string; components: Record<string, unknown> }; // biome-ignore format: one call
    const reason = expect.stringMatching(/^Chain 1: no pending transactions of "watch tx_raw" since 2024-06-01T00:01:01.000Z, expected within 300 s/); // biome-ignore format: one call
    expect([status, components.coverage]).toEqual(["healthy", { up: false, required: false, reason }]);
    const { headers } = await server.get("/api/v1/alerts");
    expect(headers.get("x-coverage")).toMatch(/^1;block=20;blocks=@\d+;pending=@1717200061;pending-silent$/);
  });

  test("is 503 while the control store is away", async () => {
    await server.loseControl();
    await server.problem("/api/v1/chains", 503);
  });
});
