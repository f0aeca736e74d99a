/**
 * What could be earned, proved by earning it: on a real node with the real contracts of Uniswap V2 a swap waits in the mempool, we say
 * what it will do and what a backrun or a sandwich around it brings, send just that, and compare to the wei.
 */
import { type Hex, maxUint256, parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bestCycle, findBackruns } from "../engine/chain/opportunity/backrun.ts";
import { type Pair, sideOf, UNISWAP_KEEP } from "../engine/chain/opportunity/constantProduct.ts";
import { sandwichExposure } from "../engine/chain/opportunity/exposure.ts";
import { type Market, predictSwap } from "../engine/chain/opportunity/predictSwap.ts";
import { type RouterSwap, readRouterSwap } from "../engine/chain/opportunity/routerSwap.ts";
import { createFrameWriter } from "../engine/frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../engine/frame/writeFrame.ts";
import { call, creation } from "./recordings/make/contracts.ts";
import { EXECUTOR_CREATION, executorInput } from "./recordings/make/executor.ts";
import { createTestNode, quantity, type TestNode } from "./recordings/make/node.ts";
import { type Anvil, startAnvil } from "./support/anvil.ts";

const DEADLINE = 10n ** 12n;
const GAS_PRICE = 10n ** 10n;

let anvil: Anvil;
let node: TestNode;
/** Deploys everything; trades; searches. */
let [owner, trader, searcher]: Hex[] = [];
let weth: Hex;
let oak: Hex;
let routers: Hex[];
/** One of each router's factory. */
let pairs: Hex[];
let executor: Hex;

interface Sent {
  readonly from: Hex;
  readonly to?: Hex;
  readonly data?: Hex;
  readonly value?: bigint;
}

/** Into the mempool: blocks are ordered by fees, so what is sent first goes first. */
let sent = 0n;
const send = ({ value = 0n, ...transaction }: Sent): Promise<Hex> =>
  node.call("eth_sendTransaction", {
    ...transaction,
    ...{ value: quantity(value), gas: quantity(5_000_000n), gasPrice: quantity(GAS_PRICE * 1_000n - ++sent) },
  });

/** Mines all that waits, which must succeed. */
async function mine(...transactions: Sent[]): Promise<{ contractAddress: Hex | null }[]> {
  for (const transaction of transactions) await send(transaction);
  await node.call("evm_mine");
  const receipts = await node.call<{ status: Hex; contractAddress: Hex | null }[]>("eth_getBlockReceipts", "latest");
  expect(receipts.map(({ status }) => status)).toEqual(receipts.map(() => "0x1"));
  return receipts;
}

async function deploy(...codes: Hex[]): Promise<Hex[]> {
  const receipts = await mine(...codes.map((data) => ({ from: owner!, data })));
  return receipts.map(({ contractAddress }) => contractAddress!);
}

const word = (data: Hex, index: number): bigint => BigInt(`0x${data.slice(2 + 64 * index, 66 + 64 * index)}`);
const read = async (to: Hex, data: Hex): Promise<Hex> => (await node.read([{ to, data }]))[0]!;
const balance = async (token: Hex, of: Hex): Promise<bigint> =>
  word(await read(token, call("token", "balanceOf", [of])), 0);

async function readPair(address: Hex): Promise<Pair> {
  const [token0, token1] = [weth, oak].sort() as [Hex, Hex];
  const reserves = await read(address, call("v2Pair", "getReserves"));
  return { address, token0, token1, reserve0: word(reserves, 0), reserve1: word(reserves, 1), keep: UNISWAP_KEEP };
}

async function market(): Promise<Market> {
  const all = await Promise.all(pairs.map(readPair));
  return { pairOf: (router) => all[routers.indexOf(router as Hex)], pairsOf: () => all };
}

/** What the mempool has of a transaction, as a frame has it. */
async function readPending(hash: Hex): Promise<RouterSwap> {
  const record = await node.call<TransactionRecord>("eth_getTransactionByHash", hash);
  const writer = createFrameWriter();
  const { from, to, nonce, value, gas, input } = record;
  writeFrame(writer, { ...{ hash, from, to, nonce, value, gas, input }, chainId: 1 });
  return readRouterSwap({ bytes: writer.bytes, u32: writer.u32 }, 0)!;
}

/** From the executor: pays a pair, and has it pay `to`. */
const swapCalls = (pair: Pair, tokenIn: Hex, amountIn: bigint | undefined, out: bigint, to: Hex) => [
  ...(amountIn === undefined ? [] : [{ to: tokenIn, data: call("token", "transfer", [pair.address, amountIn]) }]),
  {
    to: pair.address as Hex,
    data: call("v2Pair", "swap", tokenIn === pair.token0 ? [0n, out, to, "0x"] : [out, 0n, to, "0x"]),
  },
];

beforeAll(async () => {
  anvil = await startAnvil({ args: ["--no-mining", "--order", "fees", "--accounts", "3", "--balance", "100000"] });
  node = createTestNode(anvil.url);
  [owner, trader, searcher] = (await node.call<Hex[]>("eth_accounts")).map((account) => account.toLowerCase() as Hex);
  const supply = parseEther("1000000");
  const factories = [creation("v2Factory", [owner]), creation("v2Factory", [owner])];
  const [first, ...rest] = await deploy(creation("weth"), creation("token", ["Oak", "OAK", supply, owner]), ...factories, EXECUTOR_CREATION); // biome-ignore format: one expression
  weth = first!;
  oak = rest[0]!;
  executor = rest[3]!;
  routers = await deploy(...rest.slice(1, 3).map((factory) => creation("v2Router", [factory, weth])));
  await mine(...routers.map((to) => ({ from: owner!, to: oak, data: call("token", "approve", [to, maxUint256]) })));
  const liquidity: [bigint, bigint][] = [
    [parseEther("300"), parseEther("27000")],
    [parseEther("80"), parseEther("7100")],
  ];
  await mine(
    ...routers.map((to, i) => {
      const [ether, oaks] = liquidity[i]!;
      const args = [oak, oaks, 0n, 0n, owner, DEADLINE];
      return { from: owner!, to, data: call("v2Router", "addLiquidityETH", args), value: ether };
    }),
    { from: searcher!, to: weth, data: call("weth", "deposit"), value: parseEther("1000") },
    { from: searcher!, to: weth, data: call("weth", "transfer", [executor, parseEther("1000")]) },
  );
  const pairOf = async (factory: Hex): Promise<Hex> =>
    `0x${(await read(factory, call("v2Factory", "getPair", [weth, oak]))).slice(26)}`;
  pairs = await Promise.all(rest.slice(1, 3).map(pairOf));
});
afterAll(() => anvil?.stop());

test("a backrun of a pending swap earns what was predicted, to the wei", async () => {
  const args = [1n, [weth, oak], trader, DEADLINE];
  const hash = await send({ from: trader!, to: routers[0]!, data: call("v2Router", "swapExactETHForTokens", args), value: parseEther("40") }); // biome-ignore format: one expression
  const before = await market();
  const prediction = predictSwap(before, routers[0]!, await readPending(hash))!;
  const [best] = findBackruns(before, prediction, { wrapped: weth, gasPrice: GAS_PRICE });
  expect(best!.profit).toBeGreaterThan(parseEther("0.1"));
  const { buy, sell, amountIn, between, amountOut } = best!;

  const held = await balance(weth, executor);
  const data = executorInput([
    ...swapCalls(buy, weth, amountIn, between, sell.address as Hex),
    ...swapCalls(sell, oak, undefined, amountOut, executor),
  ]);
  await mine({ from: searcher!, to: executor, data });
  expect(await balance(oak, trader!)).toBe(prediction.hops[0]!.amountOut);
  expect((await balance(weth, executor)) - held).toBe(best!.profit);
  // Nothing is left to earn: neither direction between the pools as they are now.
  const [one, other] = await Promise.all(pairs.map(readPair));
  expect(bestCycle(one!, other!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
  expect(bestCycle(other!, one!, weth)?.profit ?? 0n).toBeLessThan(1_000n);
});

test("a pair that is asked for a wei more than predicted refuses", async () => {
  const [pair] = await Promise.all(pairs.map(readPair));
  const trade: RouterSwap = { path: [weth, oak], exact: "in", amount: parseEther("3"), limit: 0n, mayBeTaxed: false };
  const { hops } = predictSwap(await market(), routers[0]!, trade)!;
  const ask = (out: bigint) => ({
    from: searcher!,
    to: executor,
    data: executorInput(swapCalls(pair!, weth, trade.amount, out, executor)),
  });
  await expect(node.call("eth_call", ask(hops[0]!.amountOut + 1n), "latest")).rejects.toThrow("UniswapV2: K");
  await node.call("eth_call", ask(hops[0]!.amountOut), "latest");
});

test("a sandwich takes from its victim what the slippage limit was said to allow, to the wei", async () => {
  const [pair] = await Promise.all(pairs.map(readPair));
  const pool = sideOf(pair!, weth)!;
  const paid = parseEther("6");
  const { hops } = predictSwap(await market(), routers[0]!, { path: [weth, oak], exact: "in", amount: paid, limit: 0n, mayBeTaxed: false })!; // biome-ignore format: one expression
  const undisturbed = hops[0]!.amountOut;
  const least = (undisturbed * 97n) / 100n;
  const { front, loss, profit } = sandwichExposure(pool, paid, least, parseEther("900"));
  expect(profit).toBeGreaterThan(0n);

  const [heldOak, heldWeth] = [await balance(oak, trader!), await balance(weth, executor)];
  const trade = { path: [weth, oak], exact: "in", amount: front, limit: 0n, mayBeTaxed: false } as const;
  const bought = predictSwap(await market(), routers[0]!, trade)!.hops[0]!.amountOut;
  await send({ from: searcher!, to: executor, data: executorInput(swapCalls(pair!, weth, front, bought, executor)) });
  const args = [least, [weth, oak], trader, DEADLINE];
  await send({ from: trader!, to: routers[0]!, data: call("v2Router", "swapExactETHForTokens", args), value: paid });
  await mine({ from: searcher!, to: executor, data: executorInput(swapCalls(pair!, oak, bought, front + profit, executor)) }); // biome-ignore format: one expression
  expect((await balance(oak, trader!)) - heldOak).toBe(undisturbed - loss);
  expect((await balance(weth, executor)) - heldWeth).toBe(profit);
});
