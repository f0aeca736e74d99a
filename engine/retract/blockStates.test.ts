import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import type { Message } from "../kafka/message.ts";
import { putStatuses } from "./blockStates.ts";
import { readStatus, type StatusRecord } from "./statusRecord.ts";

const hash = (digit: string): string => `0x${digit.repeat(64)}`;

describe("a record of block_status", () => {
  const message = (value: string | null): Message =>
    ({ topic: "block_status", partition: 0, offset: 7, value: value === null ? null : Buffer.from(value) }) as Message;
  const mined = { status: "mined", chain_id: 1, block_number: 5, block_hash: hash("a"), parent_hash: hash("b") };

  test("says what became of a block", () => {
    expect(readStatus(message(JSON.stringify(mined)))).toEqual({ partition: 0, offset: 7, status: "mined", chainId: 1, number: 5, hash: hash("a") }); // biome-ignore format: one expression
  });

  test.each([
    ["nothing", null],
    ["no JSON", "{"],
    ["an unknown status", JSON.stringify({ ...mined, status: "lost" })],
    ["a hash that is cut", JSON.stringify({ ...mined, block_hash: "0xab" })],
    ["a height below zero", JSON.stringify({ ...mined, block_number: -1 })],
  ])("with %s is refused by place", (_, value) => {
    expect(readStatus(message(value))).toMatch(
      /^Cannot read the block status at block_status\/0, offset 7: .+, expected /,
    );
  });
});

describe("the store", () => {
  let place: TemporaryStore;
  beforeAll(async () => {
    place = await temporaryStore();
  });
  afterAll(() => place?.remove());

  const record = (offset: number, status: StatusRecord["status"], number: number, digit: string): StatusRecord => ({
    ...{ partition: 0, offset, status, chainId: 1, number, hash: hash(digit) },
  });
  const put = async (...records: StatusRecord[]): Promise<string[]> =>
    (await putStatuses(place.store, records, 64)).map(
      ({ hash, replaced }) => `${hash[2]} ${replaced ? "replaced" : "back"}`,
    );
  const replaced = async (): Promise<string[]> =>
    (await place.store.rows<{ digit: string }>("SELECT substring(lower(hex(block_hash)), 1, 1) AS digit FROM replaced_blocks FINAL WHERE replaced = 1 ORDER BY digit")).map(({ digit }) => digit); // biome-ignore format: one expression

  test("hears of each turn once: replaced, and back again; what is done twice, by an attempt that broke off, is the same", async () => {
    expect(await put(record(0, "mined", 100, "a"), record(1, "mined", 101, "b"))).toEqual([]);
    const reorg = [record(2, "replaced", 101, "b"), record(3, "mined", 101, "c"), record(4, "mined", 102, "d")];
    expect(await put(...reorg)).toEqual(["b replaced"]);
    expect(await put(...reorg)).toEqual(["b replaced"]); // the same records again: nobody was told yet
    expect(await put(record(5, "replaced", 101, "b"))).toEqual([]); // said before
    expect(await replaced()).toEqual(["b"]);
    expect(await put(record(6, "replaced", 102, "d"), record(7, "replaced", 101, "c"), record(8, "mined", 101, "b"))).toEqual(["d replaced", "c replaced", "b back"]); // biome-ignore format: one call
    expect(await replaced()).toEqual(["c", "d"]);
    // within one batch there and back: both are told, in order
    expect(await put(record(9, "replaced", 101, "b"), record(10, "mined", 101, "b"))).toEqual(["b replaced", "b back"]);
    expect(await replaced()).toEqual(["c", "d"]);
  });

  test("knows where the chain stands, and what is final", async () => {
    await put(record(20, "mined", 500, "e"));
    await put(record(4, "mined", 102, "d")); // an old record again
    expect(await place.store.rows("SELECT toFloat64(block_number) AS number, toFloat64(confirmed) AS confirmed FROM chain_heads FINAL")).toEqual([{ number: 500, confirmed: 436 }]); // biome-ignore format: one expression
  });
});
