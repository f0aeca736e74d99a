/**
 * What could be earned, proved by earning it: on a real node with the real contracts of Uniswap V2 a swap waits in the mempool, we say
 * what it will do and what a backrun or a sandwich around it brings, send just that, and compare to the wei.
 */
import { type Hex, parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bestCycle, findBackruns } from "../engine/chain/opportunity/backrun.ts";
import { sideOf } from "../engine/chain/opportunity/constantProduct.ts";
import { sandwichExposure } from "../engine/chain/opportunity/exposure.ts";
import { type Market, predictSwap } from "../engine/chain/opportunity/predictSwap.ts";
import { type RouterSwap, readRouterSwap } from "../engine/chain/opportunity/routerSwap.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../engine/frame/writeFrame.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";
import { ANVIL_ARGS, GAS_PRICE, setV2Scene, type V2Scene } from "./support/v2Scene.ts";

let anvil: Anvil;
let scene: V2Scene;
let trader: Hex;

/** The pairs of ether and oak, on both venues. */
const readPairs = () =>
  Promise.all([scene.main, scene.fork].map((venue) => scene.readPair(scene.weth, scene.oak, venue)));

async function market(): Promise<Market> {
  const pairs = await readPairs();
  return { pairOf: (router) => pairs[router === scene.mainRouter ? 0 : 1], pairsOf: () => pairs };
}

/** What the mempool has of a transaction, as a frame has it. */
async function readPending(hash: Hex): Promise<RouterSwap> {
  const record = await scene.node.call<TransactionRecord>("eth_getTransactionByHash", hash);
  const writer = createFrameWriter();
  const { from, to, nonce, value, gas, input } = record;
  writeFrame(writer, { ...{ hash, from, to, nonce, value, gas, input }, chainId: 1 });
  return readRouterSwap({ bytes: writer.bytes, u32: writer.u32 }, 0)!;
}

const sell = (amount: bigint): RouterSwap => ({
  ...{ path: [scene.weth, scene.oak], exact: "in", amount, limit: 0n, mayBeTaxed: false },
});

beforeAll(async () => {
  anvil = await startAnvil({ args: ANVIL_ARGS });
  scene = await setV2Scene(anvil.url);
  trader = scene.traders[0]!;
});
afterAll(() => anvil?.stop());

test("a backrun of a pending swap earns what was predicted, to the wei", async () => {
  const { weth, oak, executor, mainRouter } = scene;
  const hash = await scene.send(scene.buyWithEther(trader, parseEther("40"), [weth, oak]));
  const before = await market();
  const prediction = predictSwap(before, mainRouter, await readPending(hash))!;
  const [best] = findBackruns(before, prediction, { wrapped: weth, gasPrice: GAS_PRICE });
  expect(best!.profit).toBeGreaterThan(parseEther("0.1"));
  const { buy, sell, amountIn, between, amountOut } = best!;

  const held = await scene.balance(weth, executor);
  const route = [
    { pair: buy, tokenIn: weth },
    { pair: sell, tokenIn: oak },
  ];
  await scene.mine(scene.execute(scene.swaps(route, [amountIn, between, amountOut])));
  expect(await scene.balance(oak, trader)).toBe(prediction.hops[0]!.amountOut);
  expect((await scene.balance(weth, executor)) - held).toBe(best!.profit);
  // Nothing is left to earn: neither direction between the pools as they are now.
  const [one, other] = await readPairs();
  expect(bestCycle(one!, other!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
  expect(bestCycle(other!, one!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
});

test("a pair that is asked for a wei more than predicted refuses", async () => {
  const [pair] = await readPairs();
  const trade = sell(parseEther("3"));
  const { hops } = predictSwap(await market(), scene.mainRouter, trade)!;
  const ask = (out: bigint) =>
    scene.node.call("eth_call", scene.execute(scene.swaps([{ pair: pair!, tokenIn: scene.weth }], [trade.amount, out])), "latest"); // biome-ignore format: one call
  await expect(ask(hops[0]!.amountOut + 1n)).rejects.toThrow("UniswapV2: K");
  await ask(hops[0]!.amountOut);
});

test("a sandwich takes from its victim what the slippage limit was said to allow, to the wei", async () => {
  const { weth, oak, executor, mainRouter } = scene;
  const [pair] = await readPairs();
  const paid = parseEther("6");
  const undisturbed = predictSwap(await market(), mainRouter, sell(paid))!.hops[0]!.amountOut;
  const least = (undisturbed * 97n) / 100n;
  const { front, loss, profit } = sandwichExposure(sideOf(pair!, weth)!, paid, least, parseEther("900"));
  expect(profit).toBeGreaterThan(0n);

  const [heldOak, heldWeth] = [await scene.balance(oak, trader), await scene.balance(weth, executor)];
  const bought = predictSwap(await market(), mainRouter, sell(front))!.hops[0]!.amountOut;
  await scene.send(scene.execute(scene.swaps([{ pair: pair!, tokenIn: weth }], [front, bought])));
  await scene.send(scene.buyWithEther(trader, paid, [weth, oak], least));
  await scene.mine(scene.execute(scene.swaps([{ pair: pair!, tokenIn: oak }], [bought, front + profit])));
  expect((await scene.balance(oak, trader)) - heldOak).toBe(undisturbed - loss);
  expect((await scene.balance(weth, executor)) - heldWeth).toBe(profit);
});
