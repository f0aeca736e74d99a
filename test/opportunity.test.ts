/**
 * What could be earned, proved by earning it: on a real node with the real contracts of Uniswap V2 a swap waits in the mempool, we say
 * what it will do and what a backrun or a sandwich around it brings, send just that, and compare to the wei. And the whole way of it: from the
 * node by `record` into a recording, through the engine into the store, and out of it with what captured it.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatHex, type Hex, numberToHex, parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendFrame } from "../bench/load/load.ts";
import { openStore } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import {
  OPPORTUNITIES,
  type OpportunityRow,
  opportunityConditions,
  withCaptures,
} from "../clickhouse/queries/opportunities.ts";
import { readList } from "../clickhouse/queries/readList.ts";
import { bestCycle } from "../engine/chain/opportunity/backrun.ts";
import type { ConcentratedPool } from "../engine/chain/opportunity/concentratedPool.ts";
import { type Pair, sideOf } from "../engine/chain/opportunity/constantProduct.ts";
import { sandwichExposure } from "../engine/chain/opportunity/exposure.ts";
import { readMarket } from "../engine/chain/opportunity/market.ts";
import { findPendingOpportunities } from "../engine/chain/opportunity/pendingOpportunities.ts";
import { isPair, type Pool, tradeOf } from "../engine/chain/opportunity/pool.ts";
import { type Market, predictSwaps } from "../engine/chain/opportunity/predictSwap.ts";
import { type RouterSwap, readRouterSwaps } from "../engine/chain/opportunity/routerSwap.ts";
import { createRegistry } from "../engine/chain/registry/registry.ts";
import type { RegistryData } from "../engine/chain/registry/registryData.ts";
import { CONTENT } from "../engine/frame/content.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { extraText } from "../engine/frame/readFrame.ts";
import { type TransactionRecord, writeFrame } from "../engine/frame/writeFrame.ts";
import { packBatch } from "../engine/source/batch.ts";
import { record } from "../engine/source/recordCommand.ts";
import { pendingLine, type RpcObject } from "../engine/source/recordingLine.ts";
import { openEndpoints } from "../engine/source/rpc/endpoints.ts";
import { createMarketReader } from "../engine/source/rpc/marketReader.ts";
import { wordOf } from "../engine/source/rpc/poolStates.ts";
import { createProcessor } from "../engine/worker/process.ts";
import { unpackRecords } from "../engine/worker/topicRecords.ts";
import { createWorld } from "../engine/world/world.ts";
import { call } from "./recordings/make/contracts.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { startWeir, until } from "./support/engineProcess.ts";
import { ANVIL_ARGS, DEADLINE, GAS_PRICE, setV2Scene, type V2Scene } from "./support/v2Scene.ts";
import { setV3Scene, TICK_SPACINGS } from "./support/v3Scene.ts";

let anvil: Anvil;
let scene: V2Scene;
let trader: Hex;
let folder: string;
/** Looked at after each block: the two pairs of ether and oak, and what is no pool. */
let pools: Record<string, Hex>;

/** The pairs of ether and oak, on both venues. */
const readPairs = () =>
  Promise.all([scene.main, scene.fork].map((venue) => scene.readPair(scene.weth, scene.oak, venue)));

async function market(): Promise<Market> {
  const pairs = await readPairs();
  return { poolOf: (router) => pairs[router === scene.mainRouter ? 0 : 1], poolsOf: () => pairs };
}

/** The better of the trades between the pair that a swap has moved and the other one. */
const backrunOf = (moved: Pair, other: Pair) => (bestCycle(other, moved, scene.weth) ?? bestCycle(moved, other, scene.weth))!; // biome-ignore format: one expression

/** What the mempool has of a transaction, as a frame has it. */
async function readPending(hash: Hex): Promise<RouterSwap> {
  const record = await scene.node.call<TransactionRecord>("eth_getTransactionByHash", hash);
  const writer = createFrameWriter();
  const { from, to, nonce, value, gas, input } = record;
  writeFrame(writer, { ...{ hash, from, to, nonce, value, gas, input }, chainId: 1 });
  return readRouterSwaps({ bytes: writer.bytes, u32: writer.u32 }, 0)[0]!;
}

const sell = (amount: bigint) => ({
  ...({ path: [scene.weth, scene.oak], exact: "in", limit: 0n, mayBeTaxed: false } satisfies Partial<RouterSwap>),
  amount,
});

beforeAll(async () => {
  anvil = await startAnvil({ args: ANVIL_ARGS });
  scene = await setV2Scene(anvil.url);
  trader = scene.traders[0]!;
  const [main, fork] = (await readPairs()).map(({ address }) => address as Hex);
  pools = { "WETH-OAK": main!, "WETH-OAK fork": fork!, none: scene.executor };
  folder = await mkdtemp(join(tmpdir(), "weir-opportunity-"));
});
afterAll(async () => {
  await anvil?.stop();
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

test("a backrun of a pending swap earns what was predicted, to the wei", async () => {
  const { weth, oak, executor, mainRouter } = scene;
  const hash = await scene.send(scene.buyWithEther(trader, parseEther("40"), [weth, oak]));
  const before = await market();
  const prediction = predictSwaps(before, mainRouter, [await readPending(hash)])!;
  const [, beside] = await readPairs();
  const best = backrunOf(prediction.hops[0]!.after as Pair, beside!);
  expect(best.profit).toBeGreaterThan(parseEther("0.1"));
  const { buy, sell, amountIn, between, amountOut } = best;

  const held = await scene.balance(weth, executor);
  const route = [
    { pair: buy, tokenIn: weth },
    { pair: sell, tokenIn: oak },
  ];
  await scene.mine(scene.execute(scene.swaps(route, [amountIn, between, amountOut])));
  expect(await scene.balance(oak, trader)).toBe(prediction.hops[0]!.amountOut);
  expect((await scene.balance(weth, executor)) - held).toBe(best.profit);
  // Nothing is left to earn: neither direction between the pools as they are now.
  const [one, other] = await readPairs();
  expect(bestCycle(one!, other!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
  expect(bestCycle(other!, one!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
});

test("a pair that is asked for a wei more than predicted refuses", async () => {
  const [pair] = await readPairs();
  const trade = sell(parseEther("3"));
  const { hops } = predictSwaps(await market(), scene.mainRouter, [trade])!;
  const ask = (out: bigint) =>
    scene.node.call("eth_call", scene.execute(scene.swaps([{ pair: pair!, tokenIn: scene.weth }], [trade.amount, out])), "latest"); // biome-ignore format: one call
  await expect(ask(hops[0]!.amountOut + 1n)).rejects.toThrow("UniswapV2: K");
  await ask(hops[0]!.amountOut);
});

test("a sandwich takes from its victim what the slippage limit was said to allow, to the wei", async () => {
  const { weth, oak, executor, mainRouter } = scene;
  const [pair] = await readPairs();
  const paid = parseEther("6");
  const undisturbed = predictSwaps(await market(), mainRouter, [sell(paid)])!.hops[0]!.amountOut;
  const least = (undisturbed * 97n) / 100n;
  const { front, loss, profit } = sandwichExposure(sideOf(pair!, weth)!, paid, least, parseEther("900"));
  expect(profit).toBeGreaterThan(0n);

  const [heldOak, heldWeth] = [await scene.balance(oak, trader), await scene.balance(weth, executor)];
  const bought = predictSwaps(await market(), mainRouter, [sell(front)])!.hops[0]!.amountOut;
  await scene.send(scene.execute(scene.swaps([{ pair: pair!, tokenIn: weth }], [front, bought])));
  await scene.send(scene.buyWithEther(trader, paid, [weth, oak], least));
  await scene.mine(scene.execute(scene.swaps([{ pair: pair!, tokenIn: oak }], [bought, front + profit])));
  expect((await scene.balance(oak, trader)) - heldOak).toBe(undisturbed - loss);
  expect((await scene.balance(weth, executor)) - heldWeth).toBe(profit);
});

const CHAIN = 31337;
/** However long the node takes to say what pools hold. */
const PATIENT_MS = 600_000;

/** What WEIR_REGISTRY names: the two venues. */
function registryData(): RegistryData {
  const { weth, main, mainRouter, fork, forkRouter } = scene;
  const v2Factories = {
    [main]: { name: "Main", keep: 9_970, routers: [mainRouter] },
    [fork]: { name: "Fork", keep: 9_970, routers: [forkRouter] },
  };
  return { chains: [{ id: CHAIN, wrapped: weth, nativeUsd: 3_000, v2Factories, pools }] };
}

/**
 * A swap that waits between two blocks, and its backrun; then one that nobody backruns, a block without a trade, and who takes what was left: as
 * `record` writes them down.
 */
async function recordBackrun(out: string) {
  const { weth, oak, executor, mainRouter } = scene;
  const stopping = new AbortController();
  const state = { pendingSightings: -1, block: null as number | null };
  const recording = record({
    ...{ urls: [anvil.url], out, pending: true, pollMs: 20, signal: stopping.signal },
    ...{ registry: createRegistry(registryData()), poolsWithinMs: PATIENT_MS },
    onProgress: (progress) => void Object.assign(state, progress),
  });
  recording.catch(() => {}); // said where it is awaited
  const reached = (done: () => boolean) => until(done, () => JSON.stringify(state));
  await reached(() => state.pendingSightings === 0);
  await scene.send({ ...scene.buyWithEther(trader, parseEther("2"), [weth, oak]), gasPrice: 5n * GAS_PRICE });
  await reached(() => state.pendingSightings === 1);
  await scene.mineBlock();
  const block = Number(await scene.node.call<Hex>("eth_blockNumber"));
  await reached(() => state.block === block);

  const victim = await scene.send({ ...scene.buyWithEther(trader, parseEther("40"), [weth, oak]), gasPrice: 3n * GAS_PRICE }); // biome-ignore format: one call
  await reached(() => state.pendingSightings === 2);
  const before = await market();
  const prediction = predictSwaps(before, mainRouter, [await readPending(victim)])!;
  const [, beside] = await readPairs();
  const { buy, sell, amountIn, between, amountOut } = backrunOf(prediction.hops[0]!.after as Pair, beside!);
  const held = await scene.balance(weth, executor);
  const route = [
    { pair: buy, tokenIn: weth },
    { pair: sell, tokenIn: oak },
  ];
  const backrun = await scene.send({ ...scene.execute(scene.swaps(route, [amountIn, between, amountOut])), gasPrice: 2n * GAS_PRICE }); // biome-ignore format: one call
  await scene.mineBlock();
  await reached(() => state.block === block + 1);
  const earned = (await scene.balance(weth, executor)) - held;

  await scene.send(scene.buyWithEther(trader, parseEther("150"), [weth, oak]));
  await scene.mineBlock();
  await reached(() => state.block === block + 2);
  const left = (await readPairs()) as [Pair, Pair];
  const best = backrunOf(left[0], left[1]);
  const still = await scene.send({ from: trader, to: scene.owner });
  await scene.mineBlock();
  await reached(() => state.block === block + 3);
  const back = [
    { pair: best.buy, tokenIn: weth },
    { pair: best.sell, tokenIn: oak },
  ];
  const taking = await scene.send(scene.execute(scene.swaps(back, [best.amountIn, best.between, best.amountOut])));
  await scene.mineBlock();
  await reached(() => state.block === block + 4);
  stopping.abort();
  await recording;
  return { block, victim, backrun, earned, before, prediction, left, best, still, taking };
}

test("what pools hold is asked once, then followed; what is late, or was replaced, is asked again", async () => {
  const { weth, oak, pine, fork, forkRouter, owner, node } = scene;
  let calls = 0;
  const meters = {
    latency: (_: string, method: string) => void (calls += Number(method === "eth_call")),
    error: () => {},
  };
  const endpoints = await openEndpoints({ urls: [anvil.url], meters });
  const chain = createRegistry(registryData()).chains.get(CHAIN)!;
  const head = async (): Promise<number> => Number(await node.call<Hex>("eth_blockNumber"));
  const swap = (path: Hex[]) => {
    const { to, data, value } = scene.buyWithEther(trader, 1n, path, 1n, forkRouter);
    return { to, input: data, value: `0x${value!.toString(16)}` };
  };
  const poolsIn = async (reader: ReturnType<typeof createMarketReader>, path: Hex[]): Promise<string[] | undefined> =>
    (await reader.marketsOf([swap(path)], await head()))[0]?.pools.map((pool) => `${pool.address} ${"reserve0" in pool ? BigInt(pool.reserve0) : ""}`); // biome-ignore format: one call
  const held = async (): Promise<string[]> =>
    (await readPairs()).map(({ address, reserve0 }) => `${address} ${reserve0}`);
  try {
    const reader = createMarketReader({ endpoints, chain, withinMs: PATIENT_MS });
    expect(await reader.marketsOf([{ to: owner, input: "0x" }, { to: forkRouter, input: "0x38ed1739" }], 1)).toEqual([undefined, undefined]); // biome-ignore format: one call
    expect([calls, reader.missed()]).toEqual([0, 0]);
    expect(await poolsIn(reader, [weth, oak])).toEqual(await held());
    expect(calls).toBe(2 + 2 + 2); // pairs, reserves, decimals
    reader.follow({ receipts: (await scene.mine(scene.buyWithEther(trader, 9n, [weth, oak]))) as never });
    expect(await poolsIn(reader, [weth, oak])).toEqual(await held());
    expect(calls).toBe(6);

    // A pool that comes into being later.
    expect(await poolsIn(reader, [oak, pine])).toHaveLength(1);
    const args = [oak, pine, parseEther("10"), parseEther("70"), 0n, 0n, owner, DEADLINE];
    reader.follow({ receipts: (await scene.mine({ from: owner, to: forkRouter, data: call("v2Router", "addLiquidity", args) })) as never }); // biome-ignore format: one call
    const before = calls;
    const made = await scene.readPair(oak, pine, fork);
    expect(await poolsIn(reader, [oak, pine])).toContain(`${made.address} ${made.reserve0}`);
    expect(calls).toBe(before); // it logs what it holds in the transaction that makes it

    reader.forget();
    await scene.mine(scene.buyWithEther(trader, 9n, [weth, oak]));
    expect(await poolsIn(reader, [weth, oak])).toEqual(await held());
    expect(calls).toBe(before + 2); // reserves alone
    expect(reader.missed()).toBe(0);

    const hasty = createMarketReader({ endpoints, chain, withinMs: 0, most: 2 });
    expect(await poolsIn(hasty, [weth, oak])).toBeUndefined();
    expect(hasty.missed()).toBe(1);
    const isThere = (path: Hex[]) =>
      until(
        async () => (await poolsIn(hasty, path)) !== undefined,
        () => `the pools of ${path} are not known`,
      );
    await isThere([weth, oak]);
    // It has room for one pair at two venues.
    for (const path of [
      [weth, pine],
      [oak, pine],
      [weth, oak],
    ])
      await isThere(path);
  } finally {
    await endpoints.close();
  }
});

test("recorded and replayed, a swap that waits says what could be earned behind it, and who earned it", async () => {
  const path = join(folder, "swaps.ndjson");
  const { block, victim, backrun, earned, before, prediction, ...later } = await recordBackrun(path);
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  const waiting = lines
    .map((line) => JSON.parse(line))
    .find(({ hash, blockNumber }) => hash === victim && blockNumber === null);
  // Of the first swap's pools nothing was read anew for the second: their Sync logs were followed.
  const pairs = before.poolsOf(scene.weth, scene.oak) as Pair[];
  const told = waiting.market.pools.map(({ address, reserve0, reserve1 }: Record<string, string>) => [address, BigInt(reserve0!), BigInt(reserve1!)]); // biome-ignore format: one call
  expect(told).toEqual(pairs.map(({ address, reserve0, reserve1 }) => [address, reserve0, reserve1]));
  expect(waiting.market).toMatchObject({ blockNumber: `0x${block.toString(16)}`, decimals: { [scene.oak]: 18 } });

  const registry = join(folder, "registry.json");
  await writeFile(registry, JSON.stringify(registryData()));
  const replay = startWeir(["replay", path, "--json"], {
    WEIR_DATA: folder,
    WEIR_REGISTRY: registry,
    WEIR_THREADS: "1",
  });
  expect((await replay.exited).code, replay.log().slice(-3_000)).toBe(0);
  const store = await openStore({ folder: join(folder, "clickhouse"), database: "weir" });
  try {
    const { rows } = await readList<OpportunityRow>(store, OPPORTUNITIES, opportunityConditions({ kind: "pending_backrun" }), { limit: 9, offset: 0 }); // biome-ignore format: one call
    const found = (await withCaptures(store, rows)).filter(({ tx_hash }) => tx_hash === victim);
    expect(found).toHaveLength(1);
    const after = prediction.hops[0]!.after as Pair;
    expect(found[0]).toMatchObject({
      ...{ chain_id: String(CHAIN), state_block: String(block), block_number: null, status: "pending", dex: "Main" },
      ...{ pool: after.address, reserve0_raw: String(after.reserve0), reserve1_raw: String(after.reserve1) },
      ...{ other_dex: "Fork", profit_token: scene.weth, profit_raw: String(earned), exposure_token: scene.weth },
      ...{ captured: true, captured_by: scene.searcher, captured_tx: backrun },
    });
    expect(earned).toBeGreaterThan(parseEther("0.1"));
    expect(found[0]!.profit_usd).toBeCloseTo(Number(earned - 200_000n * 3n * GAS_PRICE) * 3_000e-18, 3);

    // The pools that are listed, after each block: what the trade left is there behind it, and still is behind the block without one.
    const { left, best, still, taking } = later;
    const imbalances = await readList<OpportunityRow & { log_index: number | null }>(store, OPPORTUNITIES, opportunityConditions({ kind: "pool_imbalance" }), { limit: 20, offset: 0 }); // biome-ignore format: one call
    const flagged = await withCaptures(store, imbalances.rows);
    const places = flagged.map(({ state_block, pool }) => `${Number(state_block) - block} ${pool}`).sort();
    expect(places).toEqual([2, 3].flatMap((at) => left.map(({ address }) => `${at} ${address}`)).sort());
    for (const row of flagged) {
      const pair = left.find(({ address }) => address === row.pool)!;
      expect(row).toMatchObject({
        ...{
          reserve0_raw: String(pair.reserve0),
          reserve1_raw: String(pair.reserve1),
          profit_raw: String(best.profit),
        },
        ...{ dex: pair === left[0] ? "Main" : "Fork", profit_token: scene.weth, is_small_opportunity: true },
        ...{
          captured: true,
          captured_by: scene.searcher,
          captured_tx: taking,
          status: "confirmed",
          confidence: "high",
        },
      });
      if (row.state_block === String(block + 3)) expect(row.tx_hash).toBe(still);
      const value = (of: Pair) =>
        Number(sideOf(of, scene.weth)!.reserveIn) / Number(sideOf(of, scene.weth)!.reserveOut);
      const gap = Math.max(value(left[0]) / value(left[1]), value(left[1]) / value(left[0]));
      expect(row.imbalance_pct).toBeCloseTo((Math.sqrt(gap) - 1) * 100, 6);
    }
  } finally {
    await store.close();
  }

  // Of each block the last record says what the listed pools held at its end, the one that is no pool but for.
  const ends = lines.map((line) => JSON.parse(line)).filter(({ blockNumber, market }) => blockNumber && market);
  expect(ends.map(({ blockNumber }) => Number(blockNumber) - block)).toEqual([0, 1, 2, 3, 4]);
  expect(ends.map(({ market }) => market.pools.length)).toEqual([2, 2, 2, 2, 2]);

  // However the records are cut into batches, and whenever they run again, it is the same bytes.
  const process = createProcessor([], createWorld({ chains: [CHAIN], registry: registryData() }));
  const records = lines.map((line, offset) => ({ offset, time: 0, content: CONTENT.json, value: Buffer.from(line) }));
  const said = (from: number, to: number): string[] =>
    [...unpackRecords(process(packBatch("s", 0, from, to, records.slice(from, to))).records)]
      .filter(({ topic }) => topic === "arbitrage-opportunities")
      .map(({ value }) => value.toString());
  const together = said(0, records.length);
  expect(together.some((text) => text.includes(victim))).toBe(true);
  expect(records.flatMap((_, i) => said(i, i + 1)).sort()).toEqual(together.sort()); // of a batch blocks come first
});

/** The V3 scene, with what the market reader and a worker know of it. */
async function watchV3() {
  const v3 = await setV3Scene(scene);
  const { v3: factory, v3Router, multicall } = v3;
  const [data] = registryData().chains!;
  const v3Factories = { [factory]: { name: "V3", tickSpacings: TICK_SPACINGS, routers: [v3Router] } };
  const chain = createRegistry({ chains: [{ ...data!, v3Factories, multicall }] }).chains.get(CHAIN)!;
  let calls = 0;
  const meters = { latency: (_: string, method: string) => void (calls += Number(method === "eth_call")), error: () => {} }; // biome-ignore format: a line
  const endpoints = await openEndpoints({ urls: [anvil.url], meters });
  const reader = createMarketReader({ endpoints, chain, withinMs: PATIENT_MS });
  const transactionOf = (hash: Hex) => scene.node.call<RpcObject>("eth_getTransactionByHash", hash);
  /** A transaction that waits, in a frame with its record's market. */
  async function waiting(transaction: RpcObject) {
    const block = Number(await scene.node.call<Hex>("eth_blockNumber"));
    const [market] = await reader.marketsOf([transaction], block);
    const writer = createFrameWriter();
    appendFrame(writer, Buffer.from(JSON.stringify(pendingLine(CHAIN, transaction, 1, market))));
    const frames = { bytes: writer.bytes, u32: writer.u32 };
    const known = readMarket(extraText(frames, 0), chain)!;
    const prediction = predictSwaps(known, transaction.to as Hex, readRouterSwaps(frames, 0));
    return { known, prediction, opportunities: findPendingOpportunities(frames, 0, chain) };
  }
  /** Mines all, of which the reader hears. */
  async function mineAll(...transactions: Parameters<typeof scene.mine>) {
    reader.follow({ receipts: (await scene.mine(...transactions)) as never });
  }
  return { ...v3, chain, reader, endpoints, transactionOf, waiting, mineAll, calls: () => calls };
}

test("swaps through V3's pools pay and leave what was said, to the wei and over ticks; so do a backrun and a sandwich of them", async () => {
  const { weth, oak, pine, executor } = scene;
  const v3 = await watchV3();
  const { v3Router, single, trade, transactionOf, waiting, mineAll, stateOf } = v3;
  const pay = (data: Hex, value: bigint, price: { gasPrice?: bigint } = {}) =>
    scene.send({ from: trader, to: v3Router, data, value, ...price });
  try {
    // Ether for oak: within a range, over some ticks, over a word of them, for a fixed output, through two pools, and two in one call.
    const path = (fees: [number, number]): Hex => concatHex([weth, numberToHex(fees[0], { size: 3 }), oak, numberToHex(fees[1], { size: 3 }), pine]); // biome-ignore format: a line
    const input = (amount: bigint, fee: 500 | 3000 = 3000) =>
      single("exactInputSingle", [weth, oak], fee, trader, amount, 1n);
    const exactly = single("exactOutputSingle", [weth, oak], 500, trader, parseEther("700"), parseEther("100"));
    // What it holds of the coin the router would pay for others.
    const output = call("v3Router", "multicall", [[exactly, call("v3Router", "refundETH")]]);
    const along = call("v3Router", "exactInput", [[path([500, 500]), trader, DEADLINE, parseEther("3"), 1n]]);
    const both = call("v3Router", "multicall", [[input(parseEther("2")), input(parseEther("3"), 500)]]);
    const sent: [string, Hex, bigint][] = [
      ["a little", input(10n ** 12n), 10n ** 12n],
      ["over ticks", input(parseEther("20")), parseEther("20")],
      ["over words", input(parseEther("32"), 500), parseEther("32")],
      ["an output", output, parseEther("100")],
      ["two pools", along, parseEther("3")],
      ["two swaps", both, parseEther("5")],
    ];
    const [ranges, words] = [new Set<string>(), new Set<string>()];
    for (const [name, data, value] of sent) {
      const { prediction } = await waiting(await transactionOf(await pay(data, value)));
      expect(prediction, name).toBeDefined();
      const held = await Promise.all([oak, pine].map((token) => scene.balance(token, trader)));
      await mineAll();
      const got = (await Promise.all([oak, pine].map((token) => scene.balance(token, trader)))).map(
        (now, i) => now - held[i]!,
      );
      const last = prediction!.hops.filter(({ tokenOut }) => tokenOut === (name === "two pools" ? pine : oak));
      expect([name, got[name === "two pools" ? 1 : 0]]).toEqual([
        name,
        last.reduce((sum, { amountOut }) => sum + amountOut, 0n),
      ]);
      for (const [address, after] of prediction!.after) {
        const { sqrtPriceX96, tick, liquidity } = after as ConcentratedPool;
        expect([name, { sqrtPriceX96, tick, liquidity }]).toEqual([name, await stateOf(address as Hex)]);
      }
      for (const { pool, after } of prediction!.hops as readonly {
        pool: ConcentratedPool;
        after: ConcentratedPool;
      }[]) {
        if (pool.liquidity !== after.liquidity) ranges.add(name);
        if (wordOf(pool.tick, pool.tickSpacing) !== wordOf(after.tick, pool.tickSpacing)) words.add(name);
      }
    }
    expect([...ranges]).toEqual(expect.arrayContaining(["over ticks", "over words"]));
    expect([...words]).toContain("over words");

    // Followed by its logs the reader knows what a new one reads, with liquidity that comes and goes.
    const tick = (await stateOf(await v3.poolAt(weth, oak, 500))).tick;
    const near = Math.floor(tick / 10) * 10;
    await mineAll(); // what the next two do is mined by the scene and told below
    const beforeMint = await scene.node.call<Hex>("eth_blockNumber");
    await v3.mint(weth, oak, 500, near - 50, near + 20, parseEther("7"));
    v3.reader.follow({ receipts: (await scene.node.call("eth_getBlockReceipts", "latest")) as never });
    expect(await scene.node.call<Hex>("eth_blockNumber")).not.toBe(beforeMint);
    const fresh = createMarketReader({ endpoints: v3.endpoints, chain: v3.chain, withinMs: PATIENT_MS });
    const asked = { to: v3Router, input: input(1n), value: "0x1" };
    const head = Number(await scene.node.call<Hex>("eth_blockNumber"));
    const calls = v3.calls();
    const [followed] = await v3.reader.marketsOf([asked], head);
    const told = v3.calls() - calls;
    const [anew] = await fresh.marketsOf([asked], head);
    expect(followed).toEqual(anew);
    expect(followed!.pools.some((pool) => "ticks" in pool && pool.ticks.some(([at]) => at === near - 50))).toBe(true);
    expect(told).toBe(0);
    // Addresses and decimals, what stands in the pools, words of ticks, ticks: a call each.
    expect(v3.calls() - calls).toBe(5);

    // A backrun between a V3 pool that a swap moves and a pair or pool of another venue.
    const hash = await pay(input(parseEther("16")), parseEther("16"), { gasPrice: 3n * GAS_PRICE });
    const transaction = await transactionOf(hash);
    const victim = await waiting(transaction);
    const [best] = victim.opportunities;
    expect(best).toMatchObject({ kind: "pending_backrun", dex: "V3", confidence: "high" });
    const { cycle } = best!.trade!;
    expect(cycle.profit).toBeGreaterThan(parseEther("0.1"));
    expect(best!.trade!.gasCost! % 250_000n === 0n || best!.trade!.gasCost! % 300_000n === 0n).toBe(true);
    const held = await scene.balance(weth, executor);
    const step = (pool: Pool, tokenIn: Hex, paid: bigint, out: bigint) =>
      isPair(pool)
        ? scene.swaps([{ pair: pool, tokenIn }], [paid, out])
        : [trade(tokenIn === weth ? [weth, oak] : [oak, weth], pool.fee as 500, paid, out)];
    const backrun = scene.execute([
      ...step(cycle.buy, weth, cycle.amountIn, cycle.between),
      ...step(cycle.sell, oak, cycle.between, cycle.amountOut),
    ]);
    await mineAll({ ...backrun, gasPrice: 2n * GAS_PRICE });
    expect((await scene.balance(weth, executor)) - held).toBe(cycle.profit);

    // A sandwich in a V3 pool takes what the limit allows: the victim's transaction, said before it is sent, stands between the two.
    const paid = parseEther("9");
    const offer = (least: bigint) => single("exactInputSingle", [weth, oak], 3000, trader, paid, least);
    const before = { ...transaction, value: numberToHex(paid) };
    const [quote] = (await waiting({ ...before, input: offer(1n) })).prediction!.hops;
    const data = offer((quote!.amountOut * 96n) / 100n);
    const exposed = await waiting({ ...before, input: data });
    const { front, loss, profit, token } = exposed.opportunities.find(({ pool }) => pool.address === quote!.pool.address)!.exposure!; // biome-ignore format: one path
    expect([token, profit > parseEther("0.01")]).toEqual([weth, true]);
    const bought = tradeOf(quote!.pool, weth, "in", front)!.amountOut;
    const [heldOak, heldWeth] = [await scene.balance(oak, trader), await scene.balance(weth, executor)];
    await scene.send(scene.execute([trade([weth, oak], 3000, front, bought)]));
    await pay(data, paid);
    await mineAll(scene.execute([trade([oak, weth], 3000, bought)]));
    expect((await scene.balance(oak, trader)) - heldOak).toBe(quote!.amountOut - loss);
    expect((await scene.balance(weth, executor)) - heldWeth).toBe(profit);

    // Where known ticks end nothing is said: neither of the swap nor of what it would leave.
    const far = await waiting({ ...before, input: single("exactInputSingle", [weth, oak], 500, trader, parseEther("90000"), 1n) }); // biome-ignore format: one call
    expect([far.prediction, far.opportunities]).toEqual([undefined, []]);
  } finally {
    await v3.endpoints.close();
  }
});
