/** What the API's statistics must say of arbitrages and opportunities, in plain TypeScript, without SQL. */
import { z } from "@hono/zod-openapi";
import { expect } from "vitest";
import type { TestServer } from "../../testServer.ts";
import { arbitrageurSchema } from "../arbitrageurs.ts";
import { dailyStatsSchema, statsSchema } from "../stats.ts";

export type Definition = "cycle" | "router";
export interface Placed {
  readonly chain: number;
  readonly block: number;
  /** 64 digits */
  readonly hash: string;
  /** of the block, Unix seconds */
  readonly time: number;
  readonly tx: string;
  readonly from: string;
}
/** An arbitrage transaction; USD in millionths. */
export interface Arbitrage extends Placed {
  readonly definition: Definition;
  readonly net: number | null;
  readonly gas: number | null;
  readonly gwei: number | null;
  readonly hops: number;
}
export interface Opportunity {
  readonly chain: number;
  readonly time: number;
  /** undefined: pending */
  readonly hash?: string;
  readonly state: number;
  readonly pool: string;
  readonly usd: number | null;
}
export interface Scene {
  readonly arbitrages: readonly Arbitrage[];
  readonly attempts: readonly Placed[];
  readonly opportunities: readonly Opportunity[];
  readonly captures: readonly (Placed & { readonly pool: string })[];
}

/** PostgreSQL's percentile_cont. */
function percentile(sorted: readonly number[], level: number): number | null {
  if (sorted.length === 0) return null;
  const at = level * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (above - below) * (at - Math.floor(at));
}
export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
export const near = (number: number | null) => (number === null ? null : expect.closeTo(number, 6));
export const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};
const once = <T extends Placed>(items: readonly T[], more: (item: T) => string = () => ""): T[] =>
  [...groupBy(items, (item) => `${item.chain} ${item.hash} ${item.tx} ${more(item)}`).values()].map(
    ([first]) => first!,
  );

/** A scene without what replaced blocks said, each thing once. */
export const standing = (
  { arbitrages, attempts, opportunities, captures }: Scene,
  replaced: ReadonlySet<string>,
): Scene => {
  const stands = <T extends { hash?: string }>(item: T): boolean => item.hash === undefined || !replaced.has(item.hash);
  return {
    arbitrages: once(arbitrages.filter(stands), ({ definition }) => definition),
    attempts: once(attempts.filter(stands)),
    opportunities: opportunities.filter(stands),
    captures: captures.filter(stands),
  };
};

function expectedStats(
  scene: Scene,
  definition: Definition,
  seconds: number,
  nameOf: (time: number) => object,
): object[] {
  const arbitrages = scene.arbitrages.filter((arbitrage) => arbitrage.definition === definition);
  const key = ({ chain, time }: { chain: number; time: number }): string => `${time - (time % seconds)} ${chain}`;
  const isCaptured = ({ chain, pool, state, time }: Opportunity): boolean => {
    const later = scene.captures.filter(
      (capture) => capture.chain === chain && capture.pool === pool && capture.block > state,
    );
    const first = Math.min(...later.map(({ block }) => block));
    const at = Math.min(...later.filter(({ block }) => block === first).map((capture) => capture.time));
    return at <= time + 300;
  };
  const keys = new Set([...arbitrages, ...scene.opportunities].map(key));
  return [...keys]
    .map((each) => each.split(" ").map(Number) as [number, number])
    .sort(([a, chainA], [b, chainB]) => b - a || chainA - chainB)
    .map(([start, chain]) => {
      const mine = <T extends { chain: number; time: number }>(items: readonly T[]): T[] =>
        items.filter((item) => key(item) === `${start} ${chain}`);
      const found = mine(arbitrages);
      const profits = found.flatMap(({ net }) => (net === null ? [] : [net / 1e6])).sort((a, b) => a - b);
      const gas = found.flatMap((arbitrage) => arbitrage.gas ?? []);
      const prices = found.flatMap(({ gwei }) => gwei ?? []);
      const detected = mine(scene.opportunities);
      const captured = detected.filter(isCaptured);
      const isSmall = ({ usd }: Opportunity): boolean => usd !== null && usd >= 10_000e6 && usd <= 100_000e6;
      const people = new Set(found.map(({ from }) => from)).size;
      const rate = (part: number, whole: number) => near(whole === 0 ? null : (100 * part) / whole);
      return {
        chain_id: chain,
        ...nameOf(start),
        opportunities_detected: detected.length,
        opportunities_captured: captured.length,
        small_opportunities_count: detected.filter(isSmall).length,
        small_opps_captured: captured.filter(isSmall).length,
        transactions_detected: found.length,
        transactions_priced: profits.length,
        unique_arbitrageurs: people,
        total_profit_usd: near(sum(profits)),
        capture_rate: rate(captured.length, detected.length),
        small_opp_capture_rate: rate(captured.filter(isSmall).length, detected.filter(isSmall).length),
        avg_competition_level: near(detected.length > 0 && people > 0 ? people / detected.length : null),
        profit_distribution: {
          min: near(profits[0] ?? null),
          max: near(profits.at(-1) ?? null),
          avg: near(profits.length === 0 ? null : sum(profits) / profits.length),
          median: near(percentile(profits, 0.5)),
          p95: near(percentile(profits, 0.95)),
        },
        gas_statistics: {
          total_gas_spent_usd: near(sum(gas) / 1e6),
          avg_gas_price_gwei: near(prices.length === 0 ? null : sum(prices) / prices.length),
        },
      };
    });
}

function expectedArbitrageurs({ arbitrages, attempts }: Scene, definition: Definition): Map<string, object> {
  const mine = arbitrages.filter((arbitrage) => arbitrage.definition === definition);
  const key = ({ chain, from }: Placed): string => `${chain} 0x${from}`;
  const failures = groupBy(attempts, key);
  const profiles = [...groupBy(mine, key)].map(([name, found]) => {
    const failed = failures.get(name) ?? [];
    const times = [...found, ...failed].map(({ time }) => time);
    const profit = sum(found.map(({ net }) => net ?? 0)) / 1e6;
    const prices = found.flatMap(({ gwei }) => gwei ?? []);
    const strategies = [2, 3, 4, 5].map(
      (hops) => found.filter((arbitrage) => Math.min(arbitrage.hops, 5) === hops).length,
    );
    const total = found.length + failed.length;
    return [name, {
      first_seen: isoOf(Math.min(...times)), last_seen: isoOf(Math.max(...times)), total_transactions: total, successful_transactions: found.length,
      failed_transactions: failed.length, success_rate: near((100 * found.length) / total), total_profit_usd: near(profit),
      total_gas_spent_usd: near(sum(found.map(({ gas }) => gas ?? 0)) / 1e6), avg_profit_per_tx_usd: near(profit / total),
      avg_gas_price_gwei: near(prices.length === 0 ? null : sum(prices) / prices.length),
      preferred_strategy: ["2-hop", "3-hop", "4-hop", "N-hop"][strategies.indexOf(Math.max(...strategies))],
    }] as const; // biome-ignore format: a profile
  });
  return new Map(profiles);
}

export const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000", "");
const DAY = 86_400;

/** Everything that the API says of one chain of a scene, against what is expected of it. */
export async function expectExact(
  server: TestServer,
  scene: Scene,
  replaced: ReadonlySet<string>,
  chain: number,
): Promise<void> {
  const kept = standing(scene, replaced);
  const only = <T extends { chain: number }>(items: readonly T[]): T[] => items.filter((item) => item.chain === chain);
  const mine = {
    arbitrages: only(kept.arbitrages),
    attempts: only(kept.attempts),
    opportunities: only(kept.opportunities),
    captures: only(kept.captures),
  };
  for (const definition of ["cycle", "router"] as const) {
    const asked = `chain_id=${chain}&definition=${definition}`;
    const isShown = (row: z.infer<typeof statsSchema> | z.infer<typeof dailyStatsSchema>): boolean =>
      row.transactions_detected + row.opportunities_detected > 0; // other rows are of hours in which transactions came in
    const hours = await server.read(`/api/v1/stats?since=2000-01-01&${asked}`, z.array(statsSchema));
    expect(hours.filter(isShown)).toMatchObject(
      expectedStats(mine, definition, 3600, (start) => ({ hour_timestamp: isoOf(start) })),
    );
    const days = await server.read(`/api/v1/stats/daily?since=2000-01-01&${asked}`, z.array(dailyStatsSchema));
    expect(days.filter(isShown)).toMatchObject(
      expectedStats(mine, definition, DAY, (start) => ({ date: isoOf(start).slice(0, 10) })),
    );
    for (const [since, until] of [[0, 4e9], ...periodsIn(mine)] as const) {
      const isIn = ({ time }: { time: number }): boolean => time >= since && time < until;
      const period = `since=${isoOf(since)}&until=${isoOf(until)}&${asked}`;
      const some = await server.read(`/api/v1/stats?${period}`, z.array(statsSchema));
      expect(some).toEqual(hours.filter(({ hour_timestamp }) => isIn({ time: Date.parse(hour_timestamp) / 1000 })));
      const list = await server.read(`/api/v1/arbitrageurs?limit=1000&${period}`, z.array(arbitrageurSchema));
      const { arbitrages, attempts } = mine;
      const profiles = expectedArbitrageurs(
        { ...mine, arbitrages: arbitrages.filter(isIn), attempts: attempts.filter(isIn) },
        definition,
      );
      expect(new Set(list.map(({ chain_id, address }) => `${chain_id} ${address}`))).toEqual(new Set(profiles.keys()));
      for (const profile of list)
        expect(profile).toMatchObject(profiles.get(`${profile.chain_id} ${profile.address}`)!);
    }
  }
}

/** Hours from the first quarter to the third, and a single one. */
function periodsIn({ arbitrages }: Scene): [since: number, until: number][] {
  const hours = [...new Set(arbitrages.map(({ time }) => time - (time % 3600)))].sort((a, b) => a - b);
  const at = (share: number): number => hours[Math.floor(share * (hours.length - 1))]!;
  return [[at(0.25), at(0.75) + 3600], [at(0.5), at(0.5) + 3600]]; // biome-ignore format: two periods
}
