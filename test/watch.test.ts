/** A chain onto topics: each block once and whole, what was replaced is said, and a restart goes on where the last run ended. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { migrateControl } from "../engine/control/migrate.ts";
import { type Control, openControl } from "../engine/control/open.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createLog } from "../engine/ops/log.ts";
import { createMetrics } from "../engine/ops/metrics.ts";
import type { RecordingLine } from "../engine/source/recordingLine.ts";
import type { BlockStatus } from "../engine/source/rpc/blockStatus.ts";
import { type Coverage, createCoverage, readCoverage } from "../engine/source/rpc/coverage.ts";
import { createTopicSink } from "../engine/source/rpc/topicSink.ts";
import { type WatchOptions, watch } from "../engine/source/rpc/watch.ts";
import { createTestNode } from "./recordings/make/node.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { CONTROL_KINDS, type ControlStore } from "./support/controlStores.ts";
import { startWeir } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { startRpcProxy } from "./support/rpcProxy.ts";
import { sharedBrokers, uniqueName } from "./support/sharedKafka.ts";

const CHAIN = 31337;
let anvil: Anvil;
let node: ReturnType<typeof createTestNode>;
let accounts: string[];
let brokers: string;
let admin: Admin;
let store: ControlStore;
let control: Control;

beforeAll(async () => {
  [anvil, brokers, store] = await Promise.all([
    startAnvil({ args: ["--no-mining", "--order", "fees"] }),
    sharedBrokers(),
    CONTROL_KINDS[0]!.start(),
  ]);
  node = createTestNode(anvil.url);
  accounts = await node.call<string[]>("eth_accounts");
  admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  control = openControl(store.options);
  await migrateControl(control);
});
afterAll(async () => {
  await control?.close();
  await admin?.close();
  await anvil?.stop();
  await store?.remove();
});

const head = async (): Promise<number> => Number(await node.call<string>("eth_blockNumber"));
async function mine(blocks: number, count = 2, value = "0x1"): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    for (let index = 0; index < count; index++)
      await node.call("eth_sendTransaction", { from: accounts[index], to: accounts[9], value });
    await node.call("evm_mine");
  }
}
async function blocksOf(from: number, to: number) {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => `0x${(from + index).toString(16)}`);
  type Block = { hash: string; number: string; transactions: string[] };
  return Promise.all(numbers.map((tag) => node.call<Block>("eth_getBlockByNumber", tag, false)));
}

/** A place of a test's own that a chain is watched onto. */
async function newPlace() {
  const topics = { txRaw: uniqueName("tx_raw"), blockStatus: uniqueName("block_status") };
  await admin.createTopics([
    { topic: topics.txRaw, partitions: 3 },
    { topic: topics.blockStatus, partitions: 1 },
  ]);
  const metrics = createMetrics({ defaults: false });
  const logged: string[] = [];
  const log = createLog({ stream: { write: (line) => void logged.push(line) } });
  const source = `watch ${topics.txRaw}`;
  const openSink = () =>
    createTopicSink({ brokers, ...topics, chainId: CHAIN, transactionalId: `weir watch ${topics.txRaw} ${CHAIN}` });
  return {
    ...{ metrics, logged, source },
    coverage: () => createCoverage(control, CHAIN, source),
    /** One run, as of a process of its own. */
    run: (more: Partial<WatchOptions>) =>
      watch({
        ...{ chainId: CHAIN, chainName: "anvil", urls: [anvil.url], pollMs: 5, metrics, log, openSink },
        ...{ coverage: createCoverage(control, CHAIN, source), signal: new AbortController().signal },
        ...more,
      }),
    async lines(): Promise<RecordingLine[]> {
      const messages = await readCommitted(brokers, topics.txRaw);
      return messages.map(({ key, value }) => {
        const line = JSON.parse(value!.toString()) as RecordingLine;
        expect(key!.toString()).toBe(line.block ? String(CHAIN) : `${CHAIN}:${line.from}`);
        return line;
      });
    },
    async statuses(): Promise<BlockStatus[]> {
      const messages = await readCommitted(brokers, topics.blockStatus);
      return messages.map(({ value }) => JSON.parse(value!.toString()) as BlockStatus);
    },
    stretches: async () => (await readCoverage(control)).stretches.filter((each) => each.source === source),
  };
}

const mined = (lines: RecordingLine[]): unknown[] => lines.filter(({ block }) => block).map(({ hash }) => hash);

describe("watch()", () => {
  it("puts each block once, over restarts, with its transactions in order and keyed by chain", async () => {
    const place = await newPlace();
    const from = (await head()) + 1;
    await mine(3);
    await place.run({ fromBlock: from, toBlock: from + 1 });
    await mine(2);
    const counts = await place.run({ fromBlock: from, toBlock: from + 4 }); // goes on behind what is there
    expect(counts).toEqual({ transactions: 6, blocks: 3, pending_sightings: 0, replaced: 0, last_block: from + 4 });
    const blocks = await blocksOf(from, from + 4);
    const [lines, statuses] = await Promise.all([place.lines(), place.statuses()]);
    expect(mined(lines)).toEqual(blocks.flatMap(({ transactions }) => transactions));
    expect(lines.map(({ block }) => (block as { transactionCount: number }).transactionCount)).toEqual(
      Array(10).fill(2),
    );
    expect(statuses).toEqual(
      blocks.map(({ hash, number }) =>
        expect.objectContaining({
          status: "mined",
          block_hash: hash,
          block_number: Number(number),
          transaction_count: 2,
          proof: "proven",
        }),
      ),
    );
    expect(await place.stretches()).toMatchObject([
      { chainId: CHAIN, from, to: from + 4, headBlock: from + 4, proven: true },
    ]);
    // At the end of its range there is nothing to do.
    expect(await place.run({ toBlock: from + 4 })).toMatchObject({ blocks: 0, last_block: null });
  });

  it.each([0, 1])("killed between the commit of block %s and its position does not put it again", async (at) => {
    const place = await newPlace();
    const from = (await head()) + 1;
    await mine(3);
    const coverage = place.coverage();
    const dying: Coverage = {
      ...coverage,
      block: async (block, ...rest) => {
        if (block.number === from + at) throw new Error("killed");
        await coverage.block(block, ...rest);
      },
    };
    await expect(place.run({ fromBlock: from, toBlock: from + 2, coverage: dying })).rejects.toThrow("killed");
    await place.run({ fromBlock: from, toBlock: from + 2 });
    const wanted = await blocksOf(from, from + 2);
    const [lines, statuses] = await Promise.all([place.lines(), place.statuses()]);
    expect(mined(lines)).toEqual(wanted.flatMap(({ transactions }) => transactions));
    expect(statuses.map(({ block_hash }) => block_hash)).toEqual(wanted.map(({ hash }) => hash));
    expect(await place.stretches()).toMatchObject([{ from, to: from + 2, proven: true }]);
  });

  it("says which blocks were replaced while it did not run, and puts those in their place", async () => {
    const place = await newPlace();
    const from = (await head()) + 1;
    await mine(4);
    await place.run({ fromBlock: from, toBlock: from + 3 });
    const before = await blocksOf(from, from + 3);
    await node.call("anvil_reorg", 2, []);
    await mine(1, 2, "0x2");
    expect(await place.run({ toBlock: from + 4 })).toMatchObject({ replaced: 2, blocks: 3 });
    const after = await blocksOf(from, from + 4);
    expect(after[2]!.hash).not.toBe(before[2]!.hash);
    const [lines, statuses] = await Promise.all([place.lines(), place.statuses()]);
    expect(statuses.map(({ status, block_hash }) => [status, block_hash])).toEqual([
      ...before.map(({ hash }) => ["mined", hash]),
      ...before
        .slice(2)
        .toReversed()
        .map(({ hash }) => ["replaced", hash]),
      ...after.slice(2).map(({ hash }) => ["mined", hash]),
    ]);
    expect(mined(lines)).toEqual([...before, ...after.slice(2)].flatMap(({ transactions }) => transactions));
    expect(await place.stretches()).toMatchObject([{ from, to: from + 4, proven: true }]);
    expect(place.logged.join("")).toContain('"event":"chain_reorg","chain":"anvil","from":');
    const metrics = await place.metrics.text();
    expect(metrics).toContain('weir_chain_replaced_blocks_total{chain="anvil"} 2');
    expect(metrics).toContain('weir_chain_blocks_total{chain="anvil",proof="proven"} 7');
    expect(metrics).toContain('chain_blocks_behind{chain="anvil"} 0');
    expect(metrics).toMatch(
      /chain_rpc_latency_seconds_count\{chain="anvil",endpoint="primary",method="eth_getBlockByNumber"\} \d+/,
    );
  });

  it("goes on by itself when all nodes were away, and sees pending transactions again; its coverage has the gap", async () => {
    const place = await newPlace();
    const from = (await head()) + 1;
    const proxy = await startRpcProxy(anvil.url);
    const stop = new AbortController();
    try {
      let last: number | null = null;
      let sighted = 0;
      const watching = place.run({
        ...{ urls: [proxy.url], fromBlock: from, pending: true, retries: 0, signal: stop.signal },
        onProgress: ({ last_block, pending_sightings }) => ([last, sighted] = [last_block, pending_sightings]),
      });
      const until = async (holds: () => boolean): Promise<void> => {
        while (!holds()) await Promise.race([sleep(5), watching.then(() => Promise.reject(new Error("ended early")))]);
      };
      const sources = () => place.logged.filter((line) => line.includes('"pending_source"')).length;
      await until(() => sources() === 1);
      await node.call("eth_sendTransaction", { from: accounts[1], to: accounts[2], value: "0x1" });
      await until(() => sighted === 1);
      await mine(1, 0);
      await until(() => last === from);
      proxy.meddle(() => "hang up");
      await until(() => place.logged.some((line) => line.includes('"chain_monitor_loop_error"')));
      await mine(2);
      proxy.meddle(() => undefined);
      await until(() => last === from + 2 && sources() === 2);
      stop.abort();
      expect(await watching).toMatchObject({ blocks: 3, pending_sightings: 1 });
    } finally {
      stop.abort();
      await proxy.stop();
    }
    const lines = await place.lines();
    const transactions = (await blocksOf(from, from + 2)).flatMap((block) => block.transactions);
    expect(mined(lines)).toEqual(transactions);
    const [pending, same] = lines.filter(({ hash }) => hash === transactions[0]).sort((one) => (one.block ? 1 : -1));
    expect(pending).toMatchObject({ blockNumber: null, seenAt: expect.any(Number) });
    expect(same).toMatchObject({ block: expect.anything(), seenAt: pending!.seenAt });
    const intervals = (await readCoverage(control)).pending.filter(({ source }) => source === place.source);
    expect(intervals).toHaveLength(2);
    expect(intervals[1]!.since.getTime()).toBeGreaterThanOrEqual(intervals[0]!.until.getTime());
    expect(await place.stretches()).toMatchObject([{ from, to: from + 2 }]);
  });

  it("ends when the same chain is watched onto the same topic by another", async () => {
    const place = await newPlace();
    const from = (await head()) + 1;
    const stop = new AbortController();
    const first = place.run({ fromBlock: from, signal: stop.signal });
    first.catch(() => undefined); // awaited below
    await mine(1);
    while ((await place.stretches()).length === 0) await sleep(20);
    await mine(1);
    const second = place.run({ signal: stop.signal });
    // The first hears of the second only when it writes: there has to be something until then.
    let fenced = false;
    const ended = expect(first.finally(() => (fenced = true))).rejects.toMatchObject({ kind: "fenced" });
    while (!fenced) {
      await mine(1);
      await sleep(20);
    }
    await ended;
    stop.abort();
    await second;
    const to = await head();
    await place.run({ toBlock: to });
    const wanted = (await blocksOf(from, to)).flatMap(({ transactions }) => transactions);
    expect(new Set(mined(await place.lines()))).toEqual(new Set(wanted));
  });

  it("refuses nodes of another chain at once", async () => {
    const place = await newPlace();
    await expect(place.run({ chainId: 1 })).rejects.toThrow("it is of chain 31337, expected one of chain 1");
  });
});

describe("weir watch", () => {
  it("killed with SIGKILL goes on in the next process: each block once, in order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-watch-"));
    const topics = { txRaw: uniqueName("tx_raw"), blockStatus: uniqueName("block_status") };
    await admin.createTopics(Object.values(topics).map((topic) => ({ topic, partitions: 1 })));
    const env = {
      ...{ WEIR_DATA: folder, KAFKA_BROKERS: brokers },
      ...{ KAFKA_TOPIC_TX_RAW: topics.txRaw, KAFKA_TOPIC_BLOCK_STATUS: topics.blockStatus },
    };
    const from = (await head()) + 1;
    const flags = ["--chain", String(CHAIN), "--rpc", anvil.wsUrl, "--from", String(from)];
    await mine(3);
    const first = startWeir(["watch", ...flags, "--metrics-port", "0"], env);
    const running = first.exited.then(() => Promise.reject(new Error(first.log())));
    running.catch(() => undefined); // it is killed below
    const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await holds())) await Promise.race([sleep(20), running]);
    };
    try {
      const url = () => /http:\S+/.exec(first.log())?.[0];
      await until(() => url() !== undefined);
      await until(async () =>
        (await (await fetch(url()!, { headers: { connection: "close" } })).text()).includes('proof="proven"} '),
      );
      await first.kill();
      await mine(3);
      const second = startWeir(["watch", ...flags, "--to", String(from + 5)], env);
      expect(await second.exited, second.log()).toEqual({ code: 0, signal: null });
      expect(JSON.parse(second.stdout())).toMatchObject({ chain_id: CHAIN, last_block: from + 5, replaced: 0 });
      const wanted = await blocksOf(from, from + 5);
      const records = await readCommitted(brokers, topics.txRaw);
      const found = records.map(({ value }) => JSON.parse(value!.toString()) as RecordingLine);
      expect(mined(found)).toEqual(wanted.flatMap(({ transactions }) => transactions));
    } finally {
      await first.kill();
      await stopEmbedded(join(folder, "clickhouse"));
      await rm(folder, { recursive: true, force: true });
    }
  });
});
