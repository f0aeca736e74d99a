/**
 * Live streams through the real engine: over Kafka, where two API nodes serve the same stream and a reader goes on at the other one; and
 * embedded, where it goes on after a restart, from the store. What streams tell is what the REST API tells.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openEventSource, type Received } from "../api/live/testing/eventSource.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { BUNDLED_RECORDING } from "../engine/cli/bundled.ts";
import { readLines } from "../engine/source/recording.ts";
import { type EngineProcess, startWeir, until } from "./support/engineProcess.ts";
import { createKafkaScene, type KafkaScene } from "./support/kafkaScene.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";
import { fillStore } from "./support/storeTemplate.ts";
import { wholeBlocks } from "./support/wholeBlocks.ts";

type Row = Record<string, unknown>;

async function urlOf(engine: EngineProcess): Promise<string> {
  const url = () => /API {2}(http:\/\/\S+)/.exec(engine.log())?.[1];
  await until(() => url() !== undefined, engine.log);
  return url()!;
}

/** All rows of a list of the REST API. */
async function listOf(url: string, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let next: string | undefined = `/api/v1/${path}?limit=1000`; next !== undefined; ) {
    const response = await fetch(url + next);
    expect(response.status).toBe(200);
    rows.push(...((await response.json()) as Row[]));
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get("link")!)?.[1];
  }
  return rows;
}

/** The messages of a WebSocket from now on. */
async function listen(url: string, path: string) {
  const ws = new WebSocket(`${url.replace("http", "ws")}${path}`);
  const messages: { type: string; data: Row }[] = [];
  ws.on("message", (bytes: Buffer) => {
    const message = JSON.parse(bytes.toString()) as (typeof messages)[number];
    if (message.data) messages.push(message); // a heartbeat has none
  });
  await new Promise((resolve, reject) => ws.once("message", resolve).once("error", reject)); // "connected"
  return { ws, messages };
}

const byId = (rows: readonly Row[]): Map<unknown, Row> => new Map(rows.map((row) => [row.id, row]));
/** What REST and a stream say alike: the store keeps µs of times where the topic has ms. */
const comparable = ({ detected_at, status, ...row }: Row): Row => ({ ...row, detected_at: String(detected_at).slice(0, 23) }); // biome-ignore format: one line
const idsOf = (events: readonly Received[]): unknown[] => events.map(({ data }) => data.id);

describe("over Kafka", () => {
  let scene: KafkaScene;
  let lines: Buffer[];
  const nodes: EngineProcess[] = [];
  beforeAll(async () => {
    lines = [];
    for await (const line of readLines(BUNDLED_RECORDING)) lines.push(Buffer.from(line));
    scene = await createKafkaScene({
      brokers: await sharedBrokers(),
      partitions: 1,
      env: { API_PORT: "0", WEIR_ANONYMOUS: "viewer", RATE_LIMIT_PER_MINUTE: "0" },
    });
  });
  afterAll(() => scene.close());

  test("two nodes, one stream: every alert once, as REST has it; a reader goes on at the other node", async () => {
    const [engine, second] = [scene.start(["start"]), scene.start(["api"])];
    nodes.push(engine, second);
    const [url, other] = [await urlOf(engine), await urlOf(second)];
    const live = async (at: string) => ((await (await fetch(`${at}/health`)).json()) as { components: Record<string, { up: boolean }> }).components.live?.up; // biome-ignore format: one line
    await until(async () => (await live(url)) === true && (await live(other)) === true, engine.log);

    const alerts = await listen(url, "/ws/alerts");
    const transactions = await listen(other, "/ws/transactions");
    const monitor = await listen(other, "/ws/v1/stream");
    monitor.ws.send(JSON.stringify({ type: "subscribe", channel: "transactions" }));
    const source = await openEventSource(`${url}/sse/stream`);
    await source.opened();
    const half = wholeBlocks(lines, 1_000);
    lines.length = wholeBlocks(lines, 2_000);
    await scene.send(lines.slice(0, half).map((value) => ({ partition: 0, value })));
    await scene.settle(engine);
    const before = await source.next((await listOf(url, "alerts")).length);
    source.close();

    await scene.send(lines.slice(half).map((value) => ({ partition: 0, value })));
    await scene.settle(engine);
    const stored = await listOf(url, "alerts");
    const again = await openEventSource(`${other}/sse/stream`, source.id);
    const after = await again.next(stored.length - before.length);
    again.close();
    expect(before.length).toBeGreaterThan(3);
    expect(after.length).toBeGreaterThan(3);
    expect(idsOf([...before, ...after]).toSorted()).toEqual([...byId(stored).keys()].toSorted());

    await until(
      () => alerts.messages.length >= stored.length,
      () => `${alerts.messages.length} of ${stored.length}`,
    );
    const told = byId(alerts.messages.map(({ data }) => data));
    expect(told.size).toBe(stored.length);
    for (const [id, row] of byId(stored)) expect(comparable(told.get(id)!)).toEqual(comparable(row));

    // the first transactions may have come before the topic was being read for this listener: the last ones have not
    await until(
      () => transactions.messages.at(-1)?.data.offset === String(lines.length - 1),
      () => "no transactions",
    );
    const rows = await listOf(url, "transactions");
    const { id, tags, score, risk, risk_factors, ...row } = rows.find(({ offset }) => offset === String(lines.length - 1))!; // biome-ignore format: one line
    expect(transactions.messages.at(-1)).toMatchObject({ type: "transaction", data: row });
    expect(Object.keys(transactions.messages.at(-1)!.data).toSorted()).toEqual(Object.keys(row).toSorted());

    const found = JSON.parse((await (await scene.store()).rows<{ n: string }>("SELECT toString(uniqExact(tx_hash)) AS n FROM arbitrages WHERE definition = 'cycle'"))[0]!.n) as number; // biome-ignore format: one line
    const arbitrages = monitor.messages.filter(({ type }) => type === "transaction");
    expect(new Set(arbitrages.map(({ data }) => data.tx_hash)).size).toBe(found);
    expect(arbitrages[0]!.data).toMatchObject({
      chain_id: 31_337,
      strategy: expect.stringMatching(/-hop$/),
      swap_count: expect.any(Number),
      gas_cost_native: expect.any(Number),
      block_timestamp: expect.stringMatching(/Z$/),
    });
  });
});

describe("embedded", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-live-"));
    await fillStore(join(folder, "clickhouse"));
  });
  afterAll(async () => {
    await stopEmbedded(join(folder, "clickhouse"));
    await rm(folder, { recursive: true, force: true });
  });

  test("the engine's own events, from the beginning; and from the store, after a restart", async () => {
    const start = () =>
      startWeir(["start"], {
        WEIR_DATA: folder,
        API_PORT: "0",
        WEIR_ANONYMOUS: "viewer",
        RATE_LIMIT_PER_MINUTE: "0",
        WEIR_THREADS: "1",
      });
    const first = start();
    const url = await urlOf(first);
    const source = await openEventSource(
      `${url}/sse/stream?channels=alerts,arbitrages,mev_opportunities`,
      "alerts:;arbitrages:;mev_opportunities:",
    );
    await until(() => first.log().includes("SQL  npx weir sql"), first.log);
    const stored = byId(await listOf(url, "alerts"));
    const cut = stored.size >> 1;
    const half: Received[] = [];
    let found = 0;
    for (; half.length < cut; ) {
      const [event] = await source.next(1);
      if (event!.event === "alert") half.push(event!);
      else found++;
    }
    source.close();
    const others = await openEventSource(`${url}/sse/stream?channels=arbitrages,mev_opportunities`, "arbitrages:;mev_opportunities:"); // biome-ignore format: one line
    expect((await others.next(found + 1)).map(({ event }) => event)).toContain("mev_opportunity");
    others.close();
    await first.stop();

    const second = start();
    const again = await openEventSource(`${await urlOf(second)}/sse/stream`, /alerts:[^;]+/.exec(source.id)![0]);
    const rest = await again.next(stored.size - cut);
    again.close();
    await second.stop();
    expect(idsOf([...half, ...rest]).toSorted()).toEqual([...stored.keys()].toSorted());
    for (const { data } of [...half, ...rest]) expect(comparable(data)).toEqual(comparable(stored.get(data.id)!));
  });
});
