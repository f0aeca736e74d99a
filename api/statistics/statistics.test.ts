/** How often the store is asked: a period costs what is not kept of it. That answers are right, api/routes/statistics.test.ts has. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeHours } from "../../engine/statistics/closeHours.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import type { ReadableStore } from "../deps.ts";
import { openStatistics } from "./open.ts";

let place: TemporaryStore;
beforeAll(async () => {
  place = await temporaryStore();
  // two days of one chain: an arbitrage an hour, a transaction a minute; and of the 7th hour an opportunity alone
  await place.store.command(`
    INSERT INTO arbitrages (source, offset, event_time, chain_id, block_number, block_hash, block_timestamp, tx_hash, tx_from, definition, tx_hops, tx_net_usd)
    SELECT 's', number, toDateTime64('2024-03-01', 6, 'UTC') + 3600 * number, 1, number, unhex(leftPad(hex(number), 64, '0')),
      toDateTime('2024-03-01', 'UTC') + 3600 * number, unhex(leftPad(hex(number), 64, '0')), unhex(leftPad(hex(number % 5), 40, '0')), 'cycle', 2, number
    FROM numbers(48) WHERE number != 7`);
  await place.store.command(`
    INSERT INTO opportunities (source, offset, event_time, chain_id, opportunity_id, kind, block_number)
    SELECT 's', 0, toDateTime64('2024-03-01 07:00:00', 6, 'UTC'), 1, unhex(repeat('0A', 16)), 'pool_imbalance', 7`);
  await insertTransactions(48 * 60);
  expect(await closeHours(place.store)).toBe(48);
});
afterAll(() => place?.remove());

const insertTransactions = (rows: number): Promise<void> =>
  place.store.command(`INSERT INTO transactions (source, offset, event_time, chain_id, hash)
    SELECT 's', number, toDateTime64('2024-03-01', 6, 'UTC') + 60 * number, 1, toString(number) FROM numbers(${rows})`);

const at = (hour: number): Date => new Date(Date.UTC(2024, 2, 1, hour));
const RANKING = { sortBy: "total_profit_usd", descending: true, minTransactions: 0 } as const;

/** `asked`: statements so far, by what they read. `meanwhile`: done once, before the store makes a leaderboard. */
function scene() {
  const meanwhile: { ranked?: () => Promise<void> } = {};
  const asked = { list: 0, figures: 0, senders: 0, arrivals: 0 };
  const store: ReadableStore = {
    kind: "embedded",
    async rows(sql, params, settings) {
      if (sql.includes("OVER () AS total")) {
        const { ranked } = meanwhile;
        delete meanwhile.ranked;
        await ranked?.();
      }
      if (sql.includes("transactions_per_minute")) asked.arrivals++;
      else if (sql.includes("uniqExactArray")) asked.figures++;
      else if (sql.includes("ARRAY JOIN arbitrageurs")) asked.senders++;
      else if (sql.includes("AS closed, toUInt32")) asked.list++;
      return place.store.rows(sql, params, settings);
    },
  };
  const { statistics } = openStatistics({ store, config: { cache: { freshMs: 0 } } });
  return {
    ...{ asked, meanwhile },
    hours: (since: number, until: number) =>
      statistics.periods({ since: at(since), until: at(until) }, "hour", "cycle"),
    leaders: async (since: number, until: number) =>
      (
        await statistics.leaders({ since: at(since), until: at(until) }, "cycle", RANKING, { limit: 9, offset: 0 })
      ).profiles.map(({ profit }) => Number(profit / 1_000_000n)),
  };
}

test("hours that are kept are not read again in another period, and what came in is until something comes", async () => {
  const { asked, hours } = scene();
  const all = await hours(0, 48);
  expect([all.length, all[0]!.transactions, asked]).toEqual([
    48,
    "60",
    { list: 1, figures: 1, senders: 0, arrivals: 1 },
  ]);
  expect(await hours(5, 30)).toEqual(all.slice(18, 43));
  expect(await hours(7, 8)).toEqual(all.slice(40, 41));
  expect(asked).toEqual({ list: 1, figures: 1, senders: 0, arrivals: 1 });
  await insertTransactions(1);
  expect((await hours(0, 2)).map(({ transactions }) => transactions)).toEqual(["60", "61"]);
  expect(asked).toEqual({ list: 1, figures: 1, senders: 0, arrivals: 2 });
});

test("days that are kept, and hours of a day that was asked for, are not read again for another leaderboard", async () => {
  const { asked, leaders } = scene();
  const sum = (since: number, until: number): number[] =>
    [0, 1, 2, 3, 4]
      .map((who) => Array.from({ length: until - since }, (_, i) => since + i).filter((n) => n % 5 === who && n !== 7))
      .filter((mine) => mine.length > 0)
      .map((mine) => mine.reduce((total, n) => total + n, 0))
      .sort((a, b) => b - a);
  expect(await leaders(0, 48)).toEqual(sum(0, 48));
  expect(asked).toEqual({ list: 1, figures: 0, senders: 1, arrivals: 0 });
  expect(await leaders(3, 48)).toEqual(sum(3, 48));
  expect(asked.senders).toBe(2);
  for (const [since, until] of [[5, 48], [0, 24], [7, 8], [1, 12], [24, 48]] as const)
    expect(await leaders(since, until)).toEqual(sum(since, until)); // biome-ignore format: five periods
  expect(asked).toEqual({ list: 1, figures: 0, senders: 2, arrivals: 0 });
});

test("of an hour that is closed anew that hour and its day are read", async () => {
  const { asked, hours, leaders } = scene();
  await hours(0, 48);
  await leaders(0, 48);
  await leaders(1, 3);
  await place.store.command(`
    INSERT INTO arbitrages (source, offset, event_time, chain_id, block_number, block_timestamp, tx_hash, tx_from, definition, tx_hops, tx_net_usd)
    SELECT 's', 100, toDateTime64('2024-03-01 02:00:00', 6, 'UTC'), 1, 2, toDateTime('2024-03-01 02:00:00', 'UTC'), unhex(repeat('0B', 32)), unhex(leftPad('', 40, '0')), 'cycle', 2, 1000`);
  expect(await closeHours(place.store)).toBe(1);
  const before = { ...asked };
  expect((await hours(0, 4)).map((row) => row.transactions_detected)).toEqual(["1", "2", "1", "1"]);
  expect(await leaders(1, 3)).toEqual([1000, 2, 1]);
  expect(await leaders(2, 5)).toEqual([1000, 4, 3, 2]);
  expect(asked).toMatchObject({ list: before.list + 1, figures: before.figures + 1, senders: before.senders + 1 });
});

test("where more hours are open than are kept, a leaderboard is made anew when a closed one is opened while the store makes it", async () => {
  await place.store.command(`INSERT INTO failed_attempts (source, chain_id, block_number, event_time, block_timestamp)
    SELECT 's', 2, number, toDateTime64('2024-03-01', 6, 'UTC'), toDateTime('2024-03-01', 'UTC') + 3600 * number FROM numbers(120)`);
  const { leaders, meanwhile } = scene();
  await leaders(40, 41); // what is open is known from here on
  meanwhile.ranked = () =>
    place.store.command(
      "INSERT INTO stats_hours (chain_id, definition, hour_timestamp, base_rows, version) SELECT 1, arrayJoin(['cycle', 'router']), toDateTime('2024-03-01 04:00:00', 'UTC'), 0, now64(6, 'UTC')",
    );
  expect(await leaders(3, 6)).toEqual([5, 4, 3]);
  expect(meanwhile).toEqual({});
});
