import { expect, test, vi } from "vitest";
import { createMetrics } from "../../engine/ops/metrics.ts";
import { createCache, type Made } from "./cache.ts";
import { createMemory, type MemoryOptions } from "./memory.ts";
import { createVersions } from "./versions.ts";

const answer = (body: string, status = 200): Made => ({
  status,
  headers: { etag: `"${body}"` },
  body: Buffer.from(body),
});

function scene(ttlMs = 60_000) {
  let now = 0;
  const versions = new Map([["arbitrages", "1"], ["alerts", "1"]]); // biome-ignore format: two tables
  const metrics = createMetrics({ defaults: false });
  const cache = createCache({
    memory: createMemory({ maxBytes: 1 << 20, now: () => now, onChange: () => {} }),
    versions: async () => new Map(versions),
    ttlMs: { opportunities: 0, stats: ttlMs, leaderboard: ttlMs },
    metrics,
  });
  let made = 0;
  const read = (tables: string[], make = async () => answer(`${++made}`), kind: "stats" | "opportunities" = "stats") =>
    cache
      .read({ kind, tables, name: `/stats?${tables}` }, make)
      .then(({ answer: { body }, from }) => `${body} ${from}`);
  return { versions, metrics, read, pass: (ms: number) => (now += ms) };
}

test("an answer holds while nothing that it is made of was written, and its time is not up", async () => {
  const { versions, metrics, read, pass } = scene();
  expect([await read(["arbitrages"]), await read(["arbitrages"])]).toEqual(["1 made", "1 memory"]);
  versions.set("alerts", "2");
  expect(await read(["arbitrages"])).toBe("1 memory");
  versions.set("arbitrages", "2");
  expect([await read(["arbitrages"]), await read(["arbitrages"])]).toEqual(["2 made", "2 memory"]);
  versions.delete("arbitrages"); // all its rows are gone
  expect(await read(["arbitrages"])).toBe("3 made");
  pass(59_999);
  expect(await read(["arbitrages"])).toBe("3 memory");
  pass(1);
  expect(await read(["arbitrages"])).toBe("4 made");
  expect(await read(["alerts"])).toBe("5 made"); // another question
  const text = await metrics.text();
  expect(text).toContain('weir_cache_hits_total{cache="stats",from="memory"} 4');
  expect(text).toContain('weir_cache_misses_total{cache="stats"} 5');
});

test("a kind that is not kept is made each time", async () => {
  const { read } = scene();
  expect([await read([], undefined, "opportunities"), await read([], undefined, "opportunities")]).toEqual(["1 off", "2 off"]); // biome-ignore format: a pair
});

test("what many ask for at once is made once; a failure is told to all of them and kept for none", async () => {
  const { read } = scene();
  let made = 0;
  const slowly = (status: number) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return answer(`${++made}`, status);
  };
  const many = <T>(ask: () => Promise<T>) => Promise.all(Array.from({ length: 50 }, ask));
  expect(await many(() => read([], slowly(503)))).toEqual(["1 made", ...Array(49).fill("1 waiting")]);
  expect(await many(() => read([], slowly(200)))).toEqual(["2 made", ...Array(49).fill("2 waiting")]);
  expect(await read([], slowly(200))).toBe("2 memory");
  const failing = () => read(["alerts"], () => Promise.reject(new Error("store away"))).catch(({ message }) => message);
  expect(await many(failing)).toEqual(Array(50).fill("store away"));
  expect(await read(["alerts"], slowly(200))).toBe("3 made");
});

test("memory holds what fits, and forgets what was asked for longest ago", async () => {
  let state = { bytes: 0, entries: 0, evicted: 0 };
  let evicted = 0;
  const onChange: MemoryOptions["onChange"] = (after) => {
    state = after;
    evicted += after.evicted;
  };
  const maxBytes = 20_000;
  const memory = createMemory({ maxBytes, now: () => 0, onChange });
  const put = (key: string, length: number) => memory.put(key, { version: "1", ...answer("x".repeat(length)) }, 1_000);
  for (let n = 0; n < 5; n++) await put(`${n}`, 3_000); // 3,514 bytes each
  expect([state.entries, evicted]).toEqual([5, 0]);
  await memory.get("0");
  await put("5", 3_000);
  expect([state.entries, evicted, state.bytes <= maxBytes]).toEqual([5, 1, true]);
  const there = async (key: string) => (await memory.get(key)) !== undefined;
  expect([await there("0"), await there("1"), await there("5")]).toEqual([true, false, true]);
  await put("large", 5_000); // more than a quarter of all: it would drive out too much
  expect([await there("large"), state.entries]).toEqual([false, 5]);
  await put("0", 10);
  expect(state.bytes).toBe(4 * 3_514 + 2 + 10 + 512);
});

test("who asks in time is told of new versions once what takes longer is made of them; who asks late does not wait for that", async () => {
  let [now, version] = [0, 0];
  const store = { rows: async <T>() => [{ table: "arbitrages", version: `${++version}` }] as T[] };
  let done = () => {};
  const prepared: string[] = [];
  const prepare = async (versions: ReadonlyMap<string, string>) => {
    prepared.push(versions.get("arbitrages")!);
    await new Promise<void>((resolve) => (done = resolve));
  };
  const versions = createVersions({ store, freshMs: 1_000, now: () => now, prepare });
  const ask = async () => (await versions()).get("arbitrages");
  expect(await ask()).toBe("1");
  now = 600;
  expect([await ask(), await ask()]).toEqual(["1", "1"]);
  await vi.waitFor(() => expect(prepared).toEqual(["2"]));
  now = 999;
  expect(await ask()).toBe("1");
  now = 1_000;
  expect(await ask()).toBe("2"); // read at 600, and being made ready still
  now = 1_600;
  expect(await ask()).toBe("3");
  done();
});
