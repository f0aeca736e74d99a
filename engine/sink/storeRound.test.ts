/** Ranges against the real store: what was there before, what was lost, what came twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "../../clickhouse/migrate.ts";
import { encodeDeadLetters } from "../../clickhouse/tables/deadLetters.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { type ClosedRange, type Member, storeRound } from "./storeRound.ts";

let place: TemporaryStore;
beforeAll(async () => {
  place = await temporaryStore();
  await migrate(place.store);
}, 60_000);
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
