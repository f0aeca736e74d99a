/** Uniswap V2 on a real node: its real contracts, two factories, three tokens, an account that trades and a searcher's contract. */
import { type Hex, maxUint256, parseEther } from "viem";
import { expect } from "vitest";
import { type Pair, UNISWAP_KEEP } from "../../engine/chain/opportunity/constantProduct.ts";
import { call, creation } from "../recordings/make/contracts.ts";
import { EXECUTOR_CREATION, executorInput } from "../recordings/make/executor.ts";
import { createTestNode, quantity, type TestNode } from "../recordings/make/node.ts";

export const DEADLINE = 10n ** 12n;
export const GAS_PRICE = 10n ** 10n;

export interface Sent {
  readonly from: Hex;
  readonly to?: Hex;
  readonly data?: Hex;
  readonly value?: bigint;
  /** Default: a little less each time. */
  readonly gasPrice?: bigint;
  /** Default: 5 million. */
  readonly gas?: bigint;
}

export interface Receipt {
  readonly transactionHash: Hex;
  readonly status: Hex;
  readonly contractAddress: Hex | null;
}

export type V2Scene = Awaited<ReturnType<typeof setV2Scene>>;

/** What anvil is to be started with. */
export const ANVIL_ARGS = ["--no-mining", "--order", "fees", "--accounts", "6", "--balance", "100000"];

export async function setV2Scene(url: string) {
  const node: TestNode = createTestNode(url);
  const accounts = (await node.call<Hex[]>("eth_accounts")).map((account) => account.toLowerCase() as Hex);
  const [owner, searcher, ...traders] = accounts as [Hex, Hex, ...Hex[]];

  /** Into the mempool: blocks are ordered by fees, so what is sent first goes first. */
  let sent = 0n;
  const send = ({
    value = 0n,
    gas = 5_000_000n,
    gasPrice = GAS_PRICE * 1_000n - ++sent,
    ...transaction
  }: Sent): Promise<Hex> =>
    node.call("eth_sendTransaction", {
      ...transaction,
      ...{ value: quantity(value), gas: quantity(gas), gasPrice: quantity(gasPrice) },
    });
  /** Mines all that waits. */
  async function mineBlock(): Promise<Receipt[]> {
    await node.call("evm_mine");
    return node.call<Receipt[]>("eth_getBlockReceipts", "latest");
  }
  /** Mines these behind what waits; all must succeed. */
  async function mine(...transactions: Sent[]): Promise<Receipt[]> {
    for (const transaction of transactions) await send(transaction);
    const receipts = await mineBlock();
    expect(receipts.map(({ status }) => status)).toEqual(receipts.map(() => "0x1"));
    return receipts;
  }
  const read = async (to: Hex, data: Hex): Promise<Hex> => (await node.read([{ to, data }]))[0]!;
  const balance = async (token: Hex, of: Hex): Promise<bigint> =>
    word(await read(token, call("token", "balanceOf", [of])), 0);

  async function deploy(...codes: Hex[]): Promise<Hex[]> {
    const receipts = await mine(...codes.map((data) => ({ from: owner, data })));
    return receipts.map(({ contractAddress }) => contractAddress!);
  }
  const supply = parseEther("1000000");
  const token = (name: string) => creation("token", [name, name.toUpperCase(), supply, owner]);
  const factory = creation("v2Factory", [owner]);
  const [weth, oak, pine, main, fork, executor] = (await deploy(
    ...[creation("weth"), token("Oak"), token("Pine"), factory, factory, EXECUTOR_CREATION],
  )) as [Hex, Hex, Hex, Hex, Hex, Hex];
  const routers = await deploy(...[main, fork].map((each) => creation("v2Router", [each, weth])));
  const [mainRouter, forkRouter] = routers as [Hex, Hex];
  const approve = (to: Hex, spender: Hex): Sent => ({
    from: owner,
    to,
    data: call("token", "approve", [spender, maxUint256]),
  });
  await mine(...[oak, pine].flatMap((each) => routers.map((router) => approve(each, router))));
  const withEther = (to: Hex, each: Hex, amount: bigint, value: bigint): Sent => {
    const args = [each, amount, 0n, 0n, owner, DEADLINE];
    return { from: owner, to, data: call("v2Router", "addLiquidityETH", args), value };
  };
  await mine(
    withEther(mainRouter, oak, parseEther("27000"), parseEther("300")),
    withEther(forkRouter, oak, parseEther("7100"), parseEther("80")),
    withEther(mainRouter, pine, parseEther("50000"), parseEther("100")),
    {
      ...{ from: owner, to: mainRouter },
      data: call("v2Router", "addLiquidity", [
        oak,
        pine,
        parseEther("9000"),
        parseEther("50000"),
        0n,
        0n,
        owner,
        DEADLINE,
      ]),
    },
    { from: searcher, to: weth, data: call("weth", "deposit"), value: parseEther("1000") },
    { from: searcher, to: weth, data: call("weth", "transfer", [executor, parseEther("1000")]) },
  );

  async function readPair(one: Hex, other: Hex, from: Hex = main): Promise<Pair> {
    const [token0, token1] = [one, other].sort() as [Hex, Hex];
    const address: Hex = `0x${(await read(from, call("v2Factory", "getPair", [token0, token1]))).slice(26)}`;
    const reserves = await read(address, call("v2Pair", "getReserves"));
    return { address, token0, token1, reserve0: word(reserves, 0), reserve1: word(reserves, 1), keep: UNISWAP_KEEP };
  }

  return {
    ...{ node, owner, searcher, traders, weth, oak, pine, main, fork, mainRouter, forkRouter, executor },
    ...{ send, mineBlock, mine, read, balance, readPair },
    /** From an account that needs no token. */
    buyWithEther: (from: Hex, value: bigint, path: Hex[], least = 1n, to: Hex = mainRouter): Sent => ({
      ...{ from, to, value, data: call("v2Router", "swapExactETHForTokens", [least, path, from, DEADLINE]) },
    }),
    /** Calls that the searcher's contract makes. */
    execute: (calls: readonly { to: Hex; data: Hex }[]): Sent => ({
      ...{ from: searcher, to: executor, data: executorInput([...calls]) },
    }),
    /** The first pair of a route is paid; each pays the next, the last one the contract. @param amounts what goes in, then what each pair pays */
    swaps(route: readonly { pair: Pair; tokenIn: Hex }[], amounts: readonly bigint[]): { to: Hex; data: Hex }[] {
      const [first] = route;
      const payment = { to: first!.tokenIn, data: call("token", "transfer", [first!.pair.address, amounts[0]!]) };
      const trades = route.map(({ pair, tokenIn }, i) => {
        const out = amounts[i + 1]!;
        const to = route[i + 1]?.pair.address ?? executor;
        const args = [...(tokenIn === pair.token0 ? [0n, out] : [out, 0n]), to, "0x"];
        return { to: pair.address as Hex, data: call("v2Pair", "swap", args) };
      });
      return [payment, ...trades];
    },
  };
}

const word = (data: Hex, index: number): bigint => BigInt(`0x${data.slice(2 + 64 * index, 66 + 64 * index)}`);
