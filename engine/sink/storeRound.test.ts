/** Ranges against the real store: what was there before, what was lost, what came twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeDeadLetters } from "../../clickhouse/tables/deadLetters.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { mendRollUps } from "./rollUps.ts";
import { type ClosedRange, type Member, storeRound } from "./storeRound.ts";

let place: TemporaryStore;
beforeAll(async () => {
  place = await temporaryStore();
});
afterAll(() => place.remove());

let source = "";
let sources = 0;
beforeEach(() => {
  source = `topic-${sources++}`;
});

/** A range of dead letters at these offsets. */
function range(
  offsets: readonly number[],
  { recovered = false, body = "x", round = "r1", partition = 0 } = {},
): ClosedRange {
  const rows = offsets.map((offset) => ({
    ...{ source, partition, offset, n: 0, record_time: 0, reason: "not_json", detail: "", rule: "", size: 1 },
    sha256: new Uint8Array(32),
    bytes: new TextEncoder().encode(body),
  }));
  const blocks = { dead_letters: [encodeDeadLetters(rows)] };
  return { from: 0, cuts: [10], round: `${source}-${round}`, recovered, blocks };
}

const put = (range: ClosedRange, signal?: AbortSignal): Promise<void> => putAll([{ partition: 0, range }], signal);

const putAll = (members: readonly Member[], signal = new AbortController().signal): Promise<void> =>
  storeRound({
    ...{ store: place.store, source, members, signal, failpoint: () => {} },
    retry: async (error) => {
      throw error;
    },
  });

async function stored(): Promise<string> {
  const sql = "SELECT offset FROM dead_letters WHERE source = {source:String} ORDER BY offset";
  return (await place.store.rows<{ offset: string }>(sql, { source })).map(({ offset }) => offset).join(" ");
}

test("a range is stored once, however often it is tried", async () => {
  await put(range([1, 2, 3]));
  await put(range([1, 2, 3]));
  await put(range([1, 2, 3], { recovered: true }));
  expect(await stored()).toBe("1 2 3");
});

test("a topic that was made again has the same positions and other content: it is stored, too", async () => {
  await put(range([1, 2, 3], { body: "old" }));
  await put(range([1, 2, 3], { body: "new", round: "r2" }));
  expect(await stored()).toBe("1 1 2 2 3 3");
});

test("a recovered range of which a part is there is made whole", async () => {
  await put(range([1, 2], { body: "part" }));
  await put(range([1, 2, 3], { recovered: true }));
  expect(await stored()).toBe("1 2 3");
});

test("a recovered range that is there twice is there once again", async () => {
  await put(range([1, 2]));
  await put(range([1, 2], { round: "r2" }));
  await put(range([1, 2], { recovered: true }));
  expect(await stored()).toBe("1 2");
});

test("what is stored stays when the topic no longer has its records", async () => {
  await put(range([1, 2, 3, 4]));
  await put(range([3, 4], { recovered: true }));
  expect(await stored()).toBe("1 2 3 4");
});

test("rows that were deleted on the way come back, although their token is known", async () => {
  await put(range([1, 2, 3]));
  await place.store.command("DELETE FROM dead_letters WHERE source = {source:String}", { source });
  await put(range([1, 2, 3], { recovered: true }));
  expect(await stored()).toBe("1 2 3");
});

describe("a round of two partitions", () => {
  const offsets = [
    [1, 2],
    [3, 4, 5],
  ];
  const members = (recovered: boolean): Member[] =>
    offsets.map((each, partition) => ({ partition, range: range(each, { recovered, partition }) }));

  test("is stored once, however often it is tried", async () => {
    await putAll(members(false));
    await putAll(members(false));
    expect(await stored()).toBe("1 2 3 4 5");
  });

  test("of which nothing was stored: each partition's new owner stores its own", async () => {
    const [a, b] = members(true);
    await putAll([b!]);
    await putAll([a!]);
    expect(await stored()).toBe("1 2 3 4 5");
  });

  test("that was stored: the new owners find it", async () => {
    await putAll(members(false));
    for (const member of members(true)) await putAll([member]);
    expect(await stored()).toBe("1 2 3 4 5");
  });

  test("whose insert is still under way when an owner has stored its own: it adds nothing, and the other finds its own missing", async () => {
    const [a, b] = members(true);
    await putAll([b!]);
    await putAll(members(false)); // from the engine that was taken for dead
    expect(await stored()).toBe("3 4 5");
    await putAll([a!]);
    expect(await stored()).toBe("1 2 3 4 5");
  });
});

describe("a roll-up after an unclean stop", () => {
  const ranges = [
    { partition: 0, from: 0, to: 10 },
    { partition: 1, from: 0, to: 10 },
  ];
  const changes = async (): Promise<number> =>
    Number((await place.store.rows<{ n: string }>("SELECT count() AS n FROM system.mutations"))[0]!.n);
  /** alerts of each partition, as the roll-up has them */
  const counted = async (): Promise<string> =>
    (
      await place.store.rows<{ counted: string }>(
        `SELECT arrayStringConcat(groupArray(concat(partition::String, ':', alerts::String)), ' ') AS counted
         FROM (SELECT partition, sum(alerts) AS alerts FROM alerts_per_minute WHERE source = {source:String} GROUP BY partition ORDER BY partition)`,
        { source },
      )
    )[0]!.counted;

  /** Seven alerts in partition 0, and three in partition 1: one of each is outside the ranges, in a minute that they touch. */
  beforeEach(async () => {
    const alerts = (partition: number, rows: number, from: number): Promise<void> =>
      place.store.command(
        `INSERT INTO alerts (source, partition, offset, chain_id, event_time, rule, severity)
         SELECT {source:String}, {partition:UInt16}, {from:UInt64} + number, 1, toDateTime64(1700000000 + 60 * number, 6), 'a', 'low' FROM numbers({rows:UInt64})`,
        { source, partition, rows, from },
      );
    await alerts(0, 6, 0);
    await alerts(0, 1, 99);
    await alerts(1, 2, 0);
    await alerts(1, 1, 99);
  });

  test("that agrees with its base table is left as it is", async () => {
    const before = await changes();
    await mendRollUps(place.store, source, ranges);
    expect(await changes()).toBe(before);
    expect(await counted()).toBe("0:7 1:3");
  });

  test.each([
    {
      damage: "lacks a bucket",
      change: "DELETE FROM alerts_per_minute WHERE source = {source:String} AND partition = 0",
    },
    {
      damage: "has a bucket twice",
      change: `INSERT INTO alerts_per_minute SELECT * FROM alerts_per_minute WHERE source = {source:String} AND partition = 1
        SETTINGS insert_deduplicate = 0`,
    },
  ])("that $damage is made anew", async ({ change }) => {
    await place.store.command(change, { source });
    expect(await counted()).not.toBe("0:7 1:3");
    await mendRollUps(place.store, source, ranges);
    expect(await counted()).toBe("0:7 1:3");
  });
});

test("a partition that was given up is not written any more", async () => {
  await expect(put(range([1, 2]), AbortSignal.abort(new Error("given up")))).rejects.toThrow("given up");
  expect(await stored()).toBe("");
});

test("a store that was killed in between is asked what it has", async () => {
  await put(range([1, 2, 3]));
  await place.kill();
  await put(range([1, 2, 3], { recovered: true }));
  expect(await stored()).toBe("1 2 3");
});
