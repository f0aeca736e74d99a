/**
 * A chain that is followed live, from its nodes to what people read: real trades on a real node go through watcher, broker, engine and store, and
 * then the chain replaces the blocks they were in. Meanwhile of the watcher's four nodes one dies in the middle of each block, and two lie. Every
 * finding is there once; what was replaced says so, in the store, on the topics and in the API.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Hex, parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore, type Store } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { ALERTS, type AlertRow, alertConditions } from "../clickhouse/queries/alerts.ts";
import { isReplacedIn } from "../clickhouse/queries/list.ts";
import { readList } from "../clickhouse/queries/readList.ts";
import { bestCycle } from "../engine/chain/opportunity/backrun.ts";
import { afterSwap, amountOut, type Pair, sideOf } from "../engine/chain/opportunity/constantProduct.ts";
import { waitingSwap } from "../engine/chain/opportunity/testing/waitingSwap.ts";
import { createRegistry } from "../engine/chain/registry/registry.ts";
import { type Control, openControl } from "../engine/control/open.ts";
import { type Admin, createAdmin } from "../engine/kafka/admin.ts";
import { createProducer } from "../engine/kafka/producer.ts";
import { createLog } from "../engine/ops/log.ts";
import { createMetrics, type Metrics } from "../engine/ops/metrics.ts";
import { openCatalogue } from "../engine/rules/catalogue.ts";
import { createCoverage } from "../engine/source/rpc/coverage.ts";
import { createPoolStore, findPools } from "../engine/source/rpc/poolStore.ts";
import { createTopicSink } from "../engine/source/rpc/topicSink.ts";
import { type WatchCounts, watch } from "../engine/source/rpc/watch.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { createTestTopics, engineVariables, testTopics } from "./support/engineOnKafka.ts";
import { type EngineProcess, startWeir, until } from "./support/engineProcess.ts";
import { STANDSTILL_MS } from "./support/kafkaBroker.ts";
import { readCommitted } from "./support/readCommitted.ts";
import { type Meddle, type RpcProxy, startRpcProxy } from "./support/rpcProxy.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";
import { fillStore } from "./support/storeTemplate.ts";
import { ANVIL_ARGS, type Receipt, setV2Scene, type V2Scene } from "./support/v2Scene.ts";

const CHAIN = 31337;
const topics = testTopics();
const stopWatching = new AbortController();

let folder: string;
let anvil: Anvil;
let scene: V2Scene;
let brokers: string;
let admin: Admin;
let control: Control;
let store: Store;
let engine: EngineProcess;
let nodes: RpcProxy[] = [];
const metrics: Metrics = createMetrics({ defaults: false });
let watching: Promise<WatchCounts>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-live-"));
  await fillStore(join(folder, "clickhouse"));
  [anvil, brokers] = await Promise.all([startAnvil({ args: ANVIL_ARGS }), sharedBrokers()]);
  scene = await setV2Scene(anvil.url);
  admin = await createAdmin({ brokers, timeoutMs: STANDSTILL_MS });
  await createTestTopics(admin, topics, { txRaw: 3, alerts: 1, blockStatus: 1 });
  control = openControl({ folder: join(folder, "clickhouse") });
  const catalogue = await openCatalogue({ control });
  const every = { name: "every", description: "each transaction", conditions: { value_gte: 0 } };
  expect((await catalogue.upload("every", Buffer.from(JSON.stringify(every)), { by: "a test", kind: "json" })).ok).toBe(true); // biome-ignore format: one call
  engine = startWeir(["start", "--no-api"], engineVariables(topics, { brokers, folder, instance: "live" }));
  nodes = await badNodes(anvil.url, (await head()) + 1);
  watching = watch({
    ...{
      chainId: CHAIN,
      chainName: "anvil",
      urls: nodes.map(({ url }) => url),
      pollMs: 20,
      poolsWithinMs: 600_000,
      fromBlock: (await head()) + 1,
    },
    registry: createRegistry({ chains: [{ id: CHAIN, wrapped: scene.weth }] }),
    poolStore: createPoolStore(control, CHAIN),
    ...{ metrics, log: createLog({ stream: { write() {} } }) },
    ...{ coverage: createCoverage(control, CHAIN, "live"), signal: stopWatching.signal },
    openSink: () =>
      createTopicSink({ brokers, ...topics, chainId: CHAIN, transactionalId: `weir watch ${topics.txRaw} ${CHAIN}` }),
  });
  watching.catch(() => {}); // said where it is awaited
  await until(
    () => engine.log().includes("partitions_assigned"),
    () => engine.log(),
  );
  store = await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
});

afterAll(async () => {
  stopWatching.abort();
  await watching?.catch(() => {});
  await engine?.kill();
  await admin?.close();
  await control?.close();
  await store?.close();
  for (const node of nodes) await node.stop();
  await anvil?.stop();
  if (folder) await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

const head = async (): Promise<number> => Number(await scene.node.call<string>("eth_blockNumber"));

/**
 * One that dies whenever it is asked for receipts, one that leaves some out of the first block, one that gives the second another hash. The fourth
 * dies, too, until each of the others was asked for the block: so whichever is asked first, all of it happens.
 */
async function badNodes(url: string, first: number): Promise<RpcProxy[]> {
  const asked = { dying: false, leavesOut: false, renames: false };
  const dies: Meddle = ({ method }) => {
    if (method !== "eth_getBlockReceipts") return undefined;
    asked.dying = true;
    return "hang up";
  };
  const leavesOut: Meddle = async ({ method }, ask) => {
    if (method !== "eth_getBlockReceipts") return undefined;
    asked.leavesOut = true;
    return { result: ((await ask()) as unknown[]).slice(1) };
  };
  const renames: Meddle = async ({ method, params }, ask) => {
    if (method !== "eth_getBlockByNumber" || Number(params[0]) <= first) return undefined;
    const block = (await ask()) as object | null;
    asked.renames ||= block !== null;
    return { result: block && { ...block, hash: `0x${"ab".repeat(32)}` } };
  };
  const answers: Meddle = ({ method, params }) => {
    const isReady = asked.dying && asked.leavesOut && (asked.renames || Number(params[0]) <= first);
    return method === "eth_getBlockReceipts" && !isReady ? "hang up" : undefined;
  };
  return Promise.all([dies, leavesOut, renames, answers].map((meddle) => startRpcProxy(url, meddle)));
}

/** What a block with one of everything is to show, by transaction. */
interface Expected {
  readonly hash: Hex;
  readonly swaps: number;
  readonly cycle2: Hex;
  readonly cycle3: Hex;
  readonly frontrun: Hex;
  readonly victims: readonly Hex[];
  readonly backrun: Hex;
  readonly reverted: Hex;
}

/** A trade, a sandwich around two more, arbitrages of two and of three pools, and one that comes too late, in one block. */
async function mineTrades(scale: bigint): Promise<Expected> {
  const { weth, oak, pine, main, fork, send, execute, swaps, buyWithEther, readPair } = scene;
  const [alice, bob, carol] = scene.traders as [Hex, Hex, Hex];
  let [pair, other, between, third] = await Promise.all([
    readPair(weth, oak, main),
    readPair(weth, oak, fork),
    readPair(oak, pine, main),
    readPair(weth, pine, main),
  ]);
  /** Moves a pair of ours as the node will, and says what it pays. */
  const trade = (of: Pair, tokenIn: Hex, amount: bigint): [Pair, bigint] => {
    const out = amountOut(sideOf(of, tokenIn)!, amount);
    return [afterSwap(of, tokenIn, amount, out), out];
  };
  let out: bigint;

  const front = 3n * scale;
  [pair, out] = trade(pair, weth, front);
  const bought = out;
  const sent = [await send(execute(swaps([{ pair, tokenIn: weth }], [front, bought])))];
  for (const [victim, amount] of [
    [alice, 6n * scale],
    [bob, 9n * scale],
  ] as const) {
    // biome-ignore format: a line
    [pair] = trade(pair, weth, amount);
    sent.push(await send(buyWithEther(victim, amount, [weth, oak])));
  }
  [pair, out] = trade(pair, oak, bought);
  sent.push(await send(execute(swaps([{ pair, tokenIn: oak }], [bought, out]))));
  // An ordinary trade through another pool.
  [third] = trade(third, weth, scale);
  sent.push(await send(buyWithEther(carol, scale, [weth, pine])));

  const two = bestCycle(other, pair, weth) ?? bestCycle(pair, other, weth);
  const twoPools = execute(
    swaps(
      [
        { pair: two!.buy, tokenIn: weth },
        { pair: two!.sell, tokenIn: oak },
      ],
      [two!.amountIn, two!.between, two!.amountOut],
    ),
  );
  sent.push(await send(twoPools));
  for (const [tokenIn, amount] of [
    [weth, two!.amountIn],
    [oak, two!.between],
  ] as const) {
    // biome-ignore format: a line
    const of = tokenIn === weth ? two!.buy : two!.sell;
    if (of.address === pair.address) [pair] = trade(pair, tokenIn, amount);
    else [other] = trade(other, tokenIn, amount);
  }
  // Through three pools whichever way round; that it may lose is its own business.
  const route = [
    { pair: third, tokenIn: weth },
    { pair: between, tokenIn: pine },
    { pair, tokenIn: oak },
  ];
  const amounts = [scale];
  for (const { pair: each, tokenIn } of route) amounts.push(amountOut(sideOf(each, tokenIn)!, amounts.at(-1)!));
  sent.push(await send(execute(swaps(route, amounts))));
  sent.push(await send(twoPools));

  const receipts = await scene.mineBlock();
  expect(receipts.map(({ transactionHash }) => transactionHash)).toEqual(sent);
  expect(receipts.map(({ status }) => status)).toEqual([...Array(7).fill("0x1"), "0x0"]);
  const { hash } = await scene.node.call<{ hash: Hex }>("eth_getBlockByNumber", "latest", false);
  const [frontrun, first, second, backrun, , cycle2, cycle3, reverted] = sent as [
    Hex,
    Hex,
    Hex,
    Hex,
    Hex,
    Hex,
    Hex,
    Hex,
  ];
  return { hash, swaps: 1 + 2 + 1 + 1 + 2 + 3, frontrun, victims: [first, second], backrun, cycle2, cycle3, reverted };
}

const hex = (column: string): string => `concat('0x', lower(hex(${column})))`;
const OF_BLOCK = "t.block_hash = unhex({hash:String})";

/** What the store has of a block; without one, all of the chain that has happened. */
async function storedOf(hash?: Hex) {
  const params = { hash: hash?.slice(2) ?? "" };
  const where = hash ? OF_BLOCK : `t.chain_id = ${CHAIN} AND NOT ${isReplacedIn("t")}`;
  const rows = <Row>(sql: string): Promise<Row[]> => store.rows<Row>(sql, params);
  const [[transactions], [swaps], arbitrages, sandwiches, attempts] = await Promise.all([
    rows<{ n: number; distinct: number }>(`SELECT toFloat64(count()) AS n, toFloat64(uniqExact(hash)) AS distinct FROM transactions AS t WHERE ${where}`), // biome-ignore format: a line each
    rows<{ n: number }>(`SELECT toFloat64(count()) AS n FROM swaps AS t WHERE ${where}`),
    rows<{ tx: Hex; hops: number }>(`SELECT ${hex("tx_hash")} AS tx, toFloat64(length(route_pools)) AS hops FROM arbitrages AS t WHERE ${where} AND definition = 'cycle' ORDER BY hops`), // biome-ignore format: a line each
    rows<object>(`SELECT arrayMap(x -> ${hex("x")}, frontrun_txs) AS frontruns, arrayMap(x -> ${hex("x")}, victim_txs) AS victims, arrayMap(x -> ${hex("x")}, backrun_txs) AS backruns FROM sandwiches AS t WHERE ${where}`), // biome-ignore format: a line each
    rows<{ tx: Hex }>(`SELECT ${hex("tx_hash")} AS tx FROM failed_attempts AS t WHERE ${where}`),
  ]);
  return {
    transactions: transactions!,
    swaps: swaps!.n,
    arbitrages,
    sandwiches,
    attempts: attempts.map(({ tx }) => tx),
  };
}

/** A round's tables are inserted one after the other: the block is there when all of them say so. */
async function expectStored(hash: Hex, expected: Expected): Promise<void> {
  let stored: unknown;
  const isAsExpected = async (): Promise<boolean> => {
    stored = await storedOf(hash).catch((error: Error) => error.message);
    return isDeepStrictEqual(stored, all(expected));
  };
  await until(isAsExpected, () => `the store has ${JSON.stringify(stored)}\n${engine.log().slice(-3_000)}`);
}

async function expectStatuses(hash: Hex, expected: readonly string[]): Promise<void> {
  let statuses: string[] = [];
  await until(
    async () => {
      statuses = (await alertsOf(hash)).map(({ status }) => status);
      return isDeepStrictEqual(statuses, expected);
    },
    () => `the alerts are ${statuses}\n${engine.log().slice(-3_000)}`,
  );
}

async function alertsOf(hash: Hex): Promise<AlertRow[]> {
  const { rows } = await readList<AlertRow>(store, ALERTS, alertConditions({}), { limit: 1_000, offset: 0 });
  return rows.filter(({ block_hash }) => block_hash === hash);
}

interface TopicAlert {
  readonly id: string;
  readonly status?: string;
  readonly block_hash: Hex;
}
const onTopic = async <Value>(topic: string): Promise<Value[]> =>
  (await readCommitted(brokers, topic)).map(({ value }) => JSON.parse(value!.toString()) as Value);

describe("a chain that is followed live", () => {
  let replaced: Expected;
  let kept: Expected;
  let plain: Receipt[];

  test("each finding of a block is there, once", async () => {
    const snapshot = await scene.node.call("evm_snapshot");
    replaced = await mineTrades(parseEther("2"));
    await expectStored(replaced.hash, replaced);
    // That the chain is followed live, and may replace the block, is on a topic of its own, which may be read later.
    await expectStatuses(replaced.hash, Array(8).fill("provisional"));
    await scene.node.call("evm_revert", snapshot);
  });

  test("when the chain replaces it, other trades take its place, and all that it said is taken back", async () => {
    // The same height with other trades, and one block more: only that shows that the first was replaced.
    kept = await mineTrades(parseEther("1"));
    plain = await scene.mine(scene.buyWithEther(scene.traders[3]!, parseEther("1"), [scene.weth, scene.oak]));
    await expectStored(kept.hash, kept);
    expect(await storedOf(replaced.hash)).toEqual(all(replaced)); // it was said, and is not forgotten
    await expectStatuses(replaced.hash, Array(8).fill("retracted"));
    await expectStatuses(kept.hash, Array(8).fill("provisional"));
    expect(plain).toHaveLength(1);
    // What counts is what the chain has now, each of it once: the kept block's findings and the plain trade.
    let standing: unknown;
    const both = { transactions: { n: 9, distinct: 9 }, swaps: kept.swaps + 1, ...findingsOf(kept) };
    await until(
      async () => isDeepStrictEqual((standing = await storedOf()), both),
      () => `what counts is ${JSON.stringify(standing)}`,
    );
  });

  test("pools are asked once which tokens they have: swaps know them from there, and so does who asks later", async () => {
    const swaps = await store.rows<{ pool: Hex; provenance: string }>(
      `SELECT DISTINCT ${hex("toFixedString(pool, 20)")} AS pool, provenance FROM swaps WHERE chain_id = ${CHAIN}`,
    );
    expect(swaps.map(({ provenance }) => provenance)).toEqual(Array(4).fill("pool"));
    const { weth, oak, pine, main, fork, readPair } = scene;
    const pairs = [[weth, oak, main], [weth, oak, fork], [oak, pine, main], [weth, pine, main]] as const; // biome-ignore format: a line
    const expected = await Promise.all(
      pairs.map(async ([one, other, factory]) => {
        const { address, token0, token1 } = await readPair(one, other, factory);
        return { chainId: CHAIN, address, token0, token1, factory, fee: null };
      }),
    );
    const asked = swaps.map(({ pool: address }) => ({ chainId: CHAIN, address }));
    const byAddress = (a: { address: string }, b: { address: string }) => (a.address < b.address ? -1 : 1);
    expect((await findPools(control, asked)).sort(byAddress)).toEqual(expected.sort(byAddress));
  });

  test("readers of the topics hear of it, of each alert once", async () => {
    const ids = (await alertsOf(replaced.hash)).map(({ id }) => id).sort();
    let heard: TopicAlert[] = [];
    const idsOf = (status?: string) => heard.flatMap((alert) => (alert.status === status ? [alert.id] : [])).sort();
    await until(
      async () => {
        const all = await onTopic<TopicAlert>(topics.alerts);
        heard = all.filter(({ block_hash }) => block_hash === replaced.hash);
        return idsOf("retracted").length >= ids.length;
      },
      () => engine.log().slice(-3_000),
    );
    expect(idsOf("retracted")).toEqual(ids);
    expect(idsOf()).toEqual(ids);
    type Metric = { kind: string; status: string; block_hash: Hex; transactions?: number };
    const [bundles, metrics] = await Promise.all([
      onTopic<{ kind: string; status: string; block_hash?: Hex }>(topics.mevBundles),
      onTopic<Metric>(topics.riskMetrics),
    ]);
    expect(bundles.filter(({ kind }) => kind === "block")).toEqual([
      expect.objectContaining({ status: "retracted", block_hash: replaced.hash }),
    ]);
    expect(bundles.filter(({ kind }) => kind === "sandwich")).toHaveLength(2);
    const saidOf = (hash: Hex) => metrics.filter(({ block_hash }) => block_hash === hash);
    expect(saidOf(replaced.hash)).toEqual([
      expect.objectContaining({ kind: "risk_metrics", status: "confirmed", transactions: 8 }),
      expect.objectContaining({ kind: "block", status: "retracted" }),
    ]);
    expect(saidOf(kept.hash)).toEqual([
      expect.objectContaining({ findings: { arbitrage: 2, sandwich: 1, liquidation: 0, jit: 0, attempt: 1 } }),
    ]);
  });

  test("what a swap that waits would leave to earn is on its topic and in the store, once, beside what was taken back", async () => {
    const producer = await createProducer({ brokers });
    try {
      const swap = waitingSwap(1n);
      while (!producer.produce(topics.txRaw, 0, null, swap, { "content-type": "application/json" }))
        await producer.room();
      await producer.flush();
    } finally {
      await producer.close();
    }
    const stored = () =>
      store.rows<{ id: string; profit: string }>(
        "SELECT lower(hex(opportunity_id)) AS id, toString(profit_raw) AS profit FROM opportunities",
      );
    await until(
      async () => (await stored()).length > 0,
      () => engine.log().slice(-3_000),
    );
    const [row, ...rest] = await stored();
    expect(rest).toEqual([]);
    const records = await onTopic<Record<string, unknown>>(topics.opportunities);
    expect(records.filter(({ kind }) => kind !== "block")).toEqual([
      expect.objectContaining({ kind: "pending_backrun", id: row!.id, profit_raw: row!.profit, dex: "Uniswap V2" }),
    ]);
    expect(records.filter(({ kind }) => kind === "block")).toEqual([
      expect.objectContaining({ status: "retracted", block_hash: replaced.hash }),
    ]);
  });

  test("the engine was not told anything twice, nor stopped by it", async () => {
    await engine.stop();
    stopWatching.abort();
    expect(await watching).toMatchObject({ replaced: 1, blocks: 3 });
    const errors = (await metrics.chainRpcErrors.get()).values.map(({ labels }) => labels.error_type);
    expect(errors).toEqual(expect.arrayContaining(["connection", "lie_receipts", "lie_transactions"]));
  });
});

const all = (expected: Expected) => ({
  ...{ transactions: { n: 8, distinct: 8 }, swaps: expected.swaps },
  ...findingsOf(expected),
});

function findingsOf(expected: Expected) {
  return {
    arbitrages: [
      { tx: expected.cycle2, hops: 2 },
      { tx: expected.cycle3, hops: 3 },
    ],
    sandwiches: [{ frontruns: [expected.frontrun], victims: expected.victims, backruns: [expected.backrun] }],
    attempts: [expected.reverted],
  };
}
