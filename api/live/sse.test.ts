/** Server-sent events, from outside: who was cut off goes on where it was, and gets everything once. */
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { startTestServer, TOKEN } from "../testServer.ts";
import type { At, Channel } from "./event.ts";
import { CHANNELS } from "./event.ts";
import { decodePositions, encodePositions } from "./positions.ts";
import { openEventSource } from "./testing/eventSource.ts";
import { startLive, type TestLiveOptions } from "./testing/liveServer.ts";

let live: Awaited<ReturnType<typeof startLive>>;
let started: typeof live | undefined;
const start = async (options?: TestLiveOptions): Promise<typeof live> => (started = await startLive(options));
afterEach(async () => {
  await started?.close();
  started = undefined;
});

const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ chain_id: 1, rule: "whale", n: from + i })); // biome-ignore format: one line
const numbers = (events: readonly { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);
const range = (from: number, to: number): number[] => rows(from, to).map(({ n }) => n);
const open = (query = "", id?: string) => openEventSource(`http://${live.address}/sse/stream${query}`, id);

test("events come with their names, as rows, from the moment of the connection on", async () => {
  live = await start();
  live.publish("alerts", "alert", rows(0, 3));
  const source = await open();
  expect(source.headers.get("content-type")).toBe("text/event-stream");
  await source.opened();
  live.publish("alerts", "alert", rows(3, 5));
  expect(await source.next(2)).toEqual(rows(3, 5).map((data) => ({ event: "alert", data })));
  source.close();
});

test("resume: what happened meanwhile comes from the ring, and from history where that is too small, each once", async () => {
  live = await start({ limits: { events: 50, bytes: 1 << 20 } });
  const first = await open();
  await first.opened();
  live.publish("alerts", "alert", rows(0, 10));
  expect(numbers(await first.next(10))).toEqual(range(0, 10));
  first.close();

  live.publish("alerts", "alert", rows(10, 30)); // the ring has them all
  const second = await open("", first.id);
  expect(numbers(await second.next(20))).toEqual(range(10, 30));
  second.close();

  live.publish("alerts", "alert", rows(30, 200)); // the ring has the last 50
  const third = await open("", second.id);
  expect(numbers(await third.next(170))).toEqual(range(30, 200));
  live.publish("alerts", "alert", rows(200, 210));
  expect(numbers(await third.next(10))).toEqual(range(200, 210));
  third.close();

  const cut = await open(`?last_event_id=${encodeURIComponent(first.id)}`); // in the address, as a page cannot set the header
  expect(numbers(await cut.next(200))).toEqual(range(10, 210));
  cut.close();
});

test("resume after each event, of two lanes of two channels, misses nothing and repeats nothing", async () => {
  live = await start({ limits: { events: 8, bytes: 1 << 20 } });
  let id: string | undefined;
  const got: unknown[] = [];
  const query = "?channels=alerts,mev_opportunities&rule=whale";
  for (let round = 0; round < 15; round++) {
    const source = await open(query, id);
    await source.opened();
    live.publish("alerts", "alert", rows(100 * round, 100 * round + 3), "0");
    live.publish("alerts", "alert", [{ chain_id: 1, rule: "another", n: -1 }], "1");
    live.publish("alerts", "alert", rows(100 * round + 10, 100 * round + 13), "1");
    live.publish("mev_opportunities", "mev_opportunity", rows(100 * round + 20, 100 * round + 24));
    const count = [1, 4, 30][round % 3]!; // of 10 each round
    got.push(...numbers(await source.next(Math.min(count, 10 * (round + 1) - got.length))));
    ({ id } = source);
    source.close();
  }
  const last = await open(query, id);
  got.push(...numbers(await last.next(150 - got.length)));
  last.close();
  const wanted = range(0, 15).flatMap((round) => [0, 1, 2, 10, 11, 12, 20, 21, 22, 23].map((n) => 100 * round + n));
  expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual(wanted);
});

test("a reader that is too slow is cut off, and loses nothing by it", async () => {
  live = await start({ limits: { events: 100, bytes: 1 << 20 } });
  const slow = await open("?channels=alerts");
  await slow.opened();
  const large = rows(0, 1_800).map((row) => ({ ...row, message: "x".repeat(10_000) }));
  for (let i = 0; i < 1_800; i += 100) {
    live.publish("alerts", "alert", large.slice(i, i + 100));
    await new Promise((resolve) => setTimeout(resolve, 2)); // it reads none of them meanwhile
  }
  const before = await slow.ended();
  expect(before.length).toBeLessThan(1_700);
  const again = await open("?channels=alerts", slow.id);
  const after = await again.next(1_800 - before.length);
  again.close();
  expect(numbers([...before, ...after])).toEqual(range(0, 1_800));
});

test("filters, limits and mistakes", async () => {
  live = await start({ maxConnections: 1 });
  const status = async (query: string, id?: string): Promise<[number, string]> => {
    const response = await fetch(`http://${live.address}/sse/stream${query}`, { headers: id ? { "last-event-id": id } : {} }); // biome-ignore format: one line
    return [response.status, ((await response.json()) as { detail: string }).detail];
  };
  expect(await status("?channels=status")).toEqual([400, expect.stringContaining("Expected some of alerts")]);
  expect(await status("?rul=x")).toEqual([400, expect.stringContaining("Unknown filter: rul")]);
  expect(await status("", "17")).toEqual([400, expect.stringContaining('Cannot resume at "17"')]);
  const source = await open("?rule=whale");
  await source.opened();
  expect(await status("")).toEqual([503, "At capacity: 1 streams. Try again later"]);
  live.publish("alerts", "alert", [{ rule: "other" }, { rule: "whale" }]);
  expect(await source.next(1)).toEqual([{ event: "alert", data: { rule: "whale" } }]);
  source.close();
});

test("positions come out of their text as they went in", () => {
  const lanes = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }).filter((name) => name !== "__proto__"), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { noNullPrototype: true, maxKeys: 5 }); // biome-ignore format: one line
  const all = fc.uniqueArray(fc.tuple(fc.constantFrom(...CHANNELS), lanes), { selector: ([channel]) => channel, minLength: 1 }); // biome-ignore format: one line
  fc.assert(
    fc.property(all, (channels) => {
      const positions = new Map(channels.map(([channel, of]) => [channel, new Map(Object.entries(of))] as [Channel, Map<string, At>])); // biome-ignore format: one line
      expect(decodePositions(encodePositions(positions))).toEqual(positions);
    }),
  );
  for (const text of [
    "alerts",
    "news:0=1",
    "alerts:0",
    "alerts:0=x",
    "alerts:0=1;alerts:0=2",
    "alerts:%zz=1",
    "x".repeat(9_000),
  ])
    expect(decodePositions(text)).toBe(undefined);
});

test("a ticket opens an event stream, once, and nothing else", async () => {
  const server = await startTestServer({ anonymous: null });
  try {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const issued = await server.get("/api/v1/auth/ticket", { method: "POST", headers });
    const { ticket } = issued.body() as { ticket: string };
    const status = async (path: string): Promise<number> => {
      const response = await fetch(server.url + path);
      await response.body!.cancel();
      return response.status;
    };
    expect(await status("/sse/stream")).toBe(401);
    expect(await status(`/sse/stream?ticket=${ticket}`)).toBe(200);
    expect(await status(`/sse/stream?ticket=${ticket}`)).toBe(401);
    expect(await status(`/api/v1/alerts?ticket=${ticket}`)).toBe(401);
  } finally {
    await server.close();
  }
});
