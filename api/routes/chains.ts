import { createRoute, z } from "@hono/zod-openapi";
import { builtInRegistry, type Registry } from "../../engine/chain/registry/registry.ts";
import type { CoverageOfChains, PendingInterval, Stretch } from "../../engine/source/rpc/coverage.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { COMMON_PROBLEMS, createRouter, json, problemResponse } from "../router.ts";

const block = (description: string) => z.int().openapi({ description });
const rangeSchema = z.object({ from_block: z.int(), to_block: z.int() });

export const chainSchema = z
  .object({
    id: z.int().openapi({ description: "as chain_id" }),
    name: z.string().openapi({ example: "Ethereum" }),
    chain_id: z.int().openapi({ example: 1 }),
    status: z
      .enum(["active", "inactive"])
      .openapi({ description: "active: a watcher has put a block within the last five minutes" }),
    last_synced_block: block("last block that a watcher, or else a backfill, has put"),
    blocks_behind: z.int().nullable().openapi({
      description: "how many more the nodes had when that one was put; null: not watched, or of before this was noted",
    }),
    uptime_pct: z.number().openapi({
      description:
        "of the blocks from the first to the last of the coverage, percent that were looked at; cut to 2 digits",
    }),
    native_token: z.string().nullable(),
    native_token_usd: z.number().nullable().openapi({ description: "as WEIR_REGISTRY says; null: it does not" }),
    block_time_seconds: z.number().nullable(),
    coverage: z
      .array(
        rangeSchema.extend({
          source: z.string().openapi({ example: "watch tx_raw" }),
          proven: z.boolean().openapi({ description: "each header and its roots were verified, not only links" }),
          started_at: z.string(),
          updated_at: z.string(),
        }),
      )
      .openapi({ description: "stretches of blocks that were put; what none covers was not looked at" }),
    gaps: z.array(rangeSchema).openapi({ description: "between the first and the last block, in no stretch" }),
    pending: z
      .array(
        z.object({
          source: z.string(),
          node: z.string().openapi({ description: "host of the node that announced them" }),
          via: z.string().openapi({ example: "subscription" }),
          since: z.string(),
          until: z.string().openapi({ description: "when it was last known to work" }),
          reason: z.string().nullable().openapi({ description: "why it ended" }),
        }),
      )
      .openapi({ description: "when pending transactions were seen, the last 100 times" }),
  })
  .openapi("Chain");

const list = createRoute({
  ...{ method: "get", path: "/api/v1/chains", tags: ["chains"] },
  summary: "Chains that are followed, and which of their blocks were looked at",
  responses: {
    200: json(z.array(chainSchema), "By chain id"),
    503: problemResponse("The control store cannot be reached"),
    ...COMMON_PROBLEMS,
  },
});

export function chainRoutes({ coverage, registry }: Pick<ApiDeps, "coverage" | "registry">) {
  const router = createRouter();
  router.openapi(list, async (c) => withETag(c, describeChains(await coverage(), Date.now(), registry)));
  return router;
}

const ACTIVE_MS = 5 * 60_000;

/** @param now Unix ms */
export function describeChains(
  { stretches, pending }: CoverageOfChains,
  now: number,
  registry: Pick<Registry, "chains"> = builtInRegistry,
): z.infer<typeof chainSchema>[] {
  const ids = [...new Set(stretches.map(({ chainId }) => chainId))].sort((one, other) => one - other);
  return ids.map((id) => {
    const of = stretches.filter(({ chainId }) => chainId === id);
    const watched = of.filter(({ source }) => source.startsWith("watch "));
    const last = latest(watched.length > 0 ? watched : of);
    const known = registry.chains.get(id);
    const gaps = gapsOf(of);
    const head = watched.length > 0 ? last.headBlock : null;
    return {
      ...{ id, name: known?.name ?? String(id), chain_id: id },
      status: watched.length > 0 && now - last.updatedAt.getTime() < ACTIVE_MS ? "active" : "inactive",
      last_synced_block: last.to,
      blocks_behind: head === null ? null : Math.max(0, head - last.to),
      uptime_pct: uptimeOf(of, gaps),
      ...{ native_token: known?.nativeToken ?? null, native_token_usd: known?.nativeUsd ?? null },
      block_time_seconds: known?.blockSeconds ?? null,
      coverage: of.map(({ source, from, to, proven, startedAt, updatedAt }) => ({
        ...{ source, from_block: from, to_block: to, proven },
        ...{ started_at: startedAt.toISOString(), updated_at: updatedAt.toISOString() },
      })),
      gaps,
      pending: pending.filter(({ chainId }) => chainId === id).map(describeInterval),
    };
  });
}

const latest = (stretches: readonly Stretch[]): Stretch =>
  stretches.reduce((one, other) => (other.updatedAt > one.updatedAt ? other : one));

const describeInterval = ({ source, node, via, since, until, reason }: PendingInterval) => ({
  ...{ source, node, via, reason },
  ...{ since: since.toISOString(), until: until.toISOString() },
});

function gapsOf(stretches: readonly Stretch[]): z.infer<typeof rangeSchema>[] {
  const gaps: z.infer<typeof rangeSchema>[] = [];
  let covered: number | undefined;
  for (const { from, to } of stretches.toSorted((one, other) => one.from - other.from)) {
    if (covered !== undefined && from > covered + 1) gaps.push({ from_block: covered + 1, to_block: from - 1 });
    covered = Math.max(covered ?? to, to);
  }
  return gaps;
}

/** Cut, so that 100 means no gap. */
function uptimeOf(stretches: readonly Stretch[], gaps: readonly z.infer<typeof rangeSchema>[]): number {
  const all = Math.max(...stretches.map(({ to }) => to)) - Math.min(...stretches.map(({ from }) => from)) + 1;
  const missed = gaps.reduce((sum, { from_block, to_block }) => sum + to_block - from_block + 1, 0);
  return Math.floor((10_000 * (all - missed)) / all) / 100;
}
