import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { createDeadMansSwitch, type SilenceRecord } from "./deadMansSwitch.ts";
import { type Channel, channelsOf, describeSilence, isSilent } from "./silence.ts";

const NOW = Date.UTC(2024, 5, 1);
const LIMITS = { seconds: 300, byChain: { 56: 30, 137: 0 } };
const channel = (chainId: number, secondsAgo: number, more: Partial<Channel> = {}): Channel => ({
  ...{ chainId, source: "watch tx_raw", channel: "blocks", lastAt: new Date(NOW - 1_000 * secondsAgo) },
  ...more,
});

describe("a channel", () => {
  test("is silent after its chain's time, or never", () => {
    const silent = (chainId: number, secondsAgo: number) => isSilent(channel(chainId, secondsAgo), LIMITS, NOW);
    expect([silent(1, 300), silent(1, 301), silent(56, 31), silent(137, 90_000)]).toEqual([false, true, true, false]);
    expect(describeSilence(channel(56, 31), LIMITS)).toBe(
      'Chain 56: no block of "watch tx_raw" since 2024-05-31T23:59:29.000Z, expected within 30 s. Is its watcher running (weir watch), are its nodes up (weir doctor)?',
    );
  });

  test("is what a watcher puts: its newest stretch, its newest interval, and no backfill", () => {
    const stretch = (source: string, updatedAt: number) => ({
      ...{ chainId: 1, source, from: 1, to: 2, headBlock: 2, proven: true },
      ...{ startedAt: new Date(0), updatedAt: new Date(updatedAt) },
    });
    const interval = { chainId: 1, source: "watch a", node: "n", via: "pool", since: new Date(0), reason: null };
    const coverage = {
      stretches: [stretch("watch a", 5), stretch("watch a", 9), stretch("watch b", 3), stretch("backfill a 1-2", 7)],
      pending: [
        { ...interval, until: new Date(8) },
        { ...interval, until: new Date(4) },
      ],
    };
    const found = channelsOf(coverage).map((each) => [each.source, each.channel, each.lastAt.getTime()]);
    expect(found).toEqual([["watch a", "blocks", 9], ["watch b", "blocks", 3], ["watch a", "pending", 8]]); // biome-ignore format: a table
  });
});

describe("the switch", () => {
  let folder: string;
  let control: Control;
  let told: Record<string, unknown>[];
  const publish = async (records: readonly SilenceRecord[]): Promise<void> => {
    told.push(...records.map(({ value }) => value as Record<string, unknown>));
  };
  const refuse = (): Promise<void> => Promise.reject(new Error("no broker"));
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-silence-"));
    control = openControl({ folder });
    await migrateControl(control);
  });
  beforeEach(async () => {
    told = [];
    await control.change((tx) => tx.execute(sql`TRUNCATE silences`));
  });
  afterAll(async () => {
    await control.close();
    await stopEmbedded(folder);
    await rm(folder, { recursive: true, force: true });
  });
  const said = () => told.map(({ status, chain_id, channel: what, since }) => [status, chain_id, what, since]);

  test("raises once and takes back once, whoever looks and however often", async () => {
    const [one, other] = [createDeadMansSwitch(control, LIMITS), createDeadMansSwitch(control, LIMITS)];
    const pending = channel(1, 5, { channel: "pending" });
    const silent = [channel(1, 400), pending];
    expect(await one.look([channel(1, 100), pending], NOW)).toEqual({ raised: [], recovered: [] });
    const looks = await Promise.all([one.look(silent, NOW), other.look(silent, NOW)]);
    expect(looks.flatMap(({ raised }) => raised)).toEqual([channel(1, 400)]);
    await Promise.all([one.tell(publish), other.tell(publish)]);
    await one.look(silent, NOW + 5_000);
    await one.tell(publish);
    const since = new Date(NOW - 400_000).toISOString();
    expect(said()).toEqual([["raised", 1, "blocks", since]]);

    const heard = [channel(1, 2), pending];
    const back = await Promise.all([one.look(heard, NOW), other.look(heard, NOW)]);
    expect(back.flatMap(({ recovered }) => recovered)).toEqual([channel(1, 400)]);
    await Promise.all([other.tell(publish), one.tell(publish)]);
    await one.tell(publish);
    expect(said()).toEqual([["raised", 1, "blocks", since], ["retracted", 1, "blocks", since]]); // biome-ignore format: a table
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    expect(told[0]).toMatchObject({ rule: "weir:silence", severity: "critical", message: expect.stringContaining("Chain 1: no block") }); // biome-ignore format: one expression
  });

  test("one sign between two silences takes back the first and raises the second", async () => {
    const it = createDeadMansSwitch(control, LIMITS);
    await it.look([channel(1, 1_000)], NOW);
    await it.look([channel(1, 500)], NOW);
    await it.tell(publish);
    expect(said().map(([status, , , since]) => [status, since])).toEqual([
      ["raised", new Date(NOW - 1_000_000).toISOString()],
      ["retracted", new Date(NOW - 1_000_000).toISOString()],
      ["raised", new Date(NOW - 500_000).toISOString()],
    ]);
  });

  test("what could not be told is told later, by whoever comes first after a minute", async () => {
    const [one, other] = [createDeadMansSwitch(control, LIMITS), createDeadMansSwitch(control, LIMITS)];
    await one.look([channel(56, 31)], NOW);
    await expect(one.tell(refuse)).rejects.toThrow("no broker");
    await other.tell(publish);
    expect(told).toEqual([]); // it may be on its way
    await control.change((tx) => tx.execute(sql`UPDATE silences SET claimed_at = claimed_at - interval '2 minutes'`));
    await other.tell(publish);
    expect(said()).toEqual([["raised", 56, "blocks", new Date(NOW - 31_000).toISOString()]]);
  });

  test("told, but killed before it was marked: the same record once more, by which its reader knows it", async () => {
    const [one, other] = [createDeadMansSwitch(control, LIMITS), createDeadMansSwitch(control, LIMITS)];
    await one.look([channel(56, 31)], NOW);
    const killed = async (records: Parameters<typeof publish>[0]): Promise<void> => {
      await publish(records);
      throw new Error("killed");
    };
    await expect(one.tell(killed)).rejects.toThrow("killed");
    await control.change((tx) => tx.execute(sql`UPDATE silences SET claimed_at = claimed_at - interval '2 minutes'`));
    await other.tell(publish);
    expect(told).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
    await other.tell(publish);
    expect(told).toHaveLength(2);
  });
});
