import { type Hex, maxUint256, parseEther } from "viem";
import type { Chain, Planned } from "./chain.ts";
import { call, creation } from "./contracts.ts";
import { EXECUTOR_CREATION, executorInput } from "./executor.ts";
import type { Pair } from "./market.ts";
import type { TestNode } from "./node.ts";

export type Token = { address: Hex; name: string; symbol: string; perEther: number };
export type V3Pool = { address: Hex; token0: Hex; token1: Hex; fee: number };
export type Scene = Awaited<ReturnType<typeof setScene>>;

const FAR_DEADLINE = 10n ** 12n;

// perEther: how many whole tokens one ether buys at the start. All have 18 decimals.
const TOKENS = [
  { name: "Harbour Dollar", symbol: "HUSD", perEther: 3000 },
  { name: "Harbour Euro", symbol: "HEUR", perEther: 2750 },
  { name: "Gold Ounce", symbol: "GOLD", perEther: 1.25 },
  { name: "Oak", symbol: "OAK", perEther: 90 },
  { name: "Pine", symbol: "PINE", perEther: 480 },
  { name: "Maple", symbol: "MAPL", perEther: 21 },
  { name: "Birch", symbol: "BRCH", perEther: 12_000 },
] as const;
const MAIN_PAIRS = [
  "WETH HUSD 2400",
  "WETH HEUR 900",
  "WETH GOLD 1500",
  "WETH OAK 800",
  "WETH PINE 600",
  "WETH MAPL 400",
  "WETH BRCH 250",
  "HUSD HEUR 900",
  "HUSD GOLD 500",
  "HUSD OAK 300",
  "OAK PINE 200",
  "WETH TAX 200",
];
const FORK_PAIRS = [
  "WETH HUSD 700",
  "WETH GOLD 450",
  "WETH OAK 260",
  "WETH PINE 200",
  "WETH MAPL 150",
  "HUSD GOLD 160",
];
const V3_POOLS = [
  "WETH HUSD 1200 500",
  "WETH HUSD 600 3000",
  "WETH GOLD 700 3000",
  "WETH OAK 250 10000",
  "HUSD HEUR 500 500",
];

/** Deploys the contracts, creates tokens, pairs and pools, and equips the bots. `accounts[0]` does all of it. */
export async function setScene(options: {
  chain: Chain;
  node: TestNode;
  searchers: Hex[];
  sandwichers: Hex[];
  deployer: Hex;
}) {
  const { chain, node, deployer, searchers, sandwichers } = options;
  const send = async (plans: Omit<Planned, "from" | "kind">[], kind: "deployment" | "setup") =>
    chain.mine(
      plans.map((plan) => ({ from: deployer, kind, ...plan })),
      { quiet: true },
    );
  const deploy = async (...codes: Hex[]): Promise<Hex[]> => {
    const mined = await send(
      codes.map((data) => ({ to: null, data, gas: 6_000_000n })),
      "deployment",
    );
    return mined.map(({ receipt }) => receipt.contractAddress!);
  };
  const one = async (code: Hex) => (await deploy(code))[0]!;
  const supply = parseEther("1000000000");

  const [weth, mainFactory, forkFactory] = await Promise.resolve([
    await one(creation("weth")),
    await one(creation("v2Factory", [deployer])),
    await one(creation("v2Factory", [deployer])),
  ]);
  const mainRouter = await one(creation("v2Router", [mainFactory, weth]));
  const forkRouter = await one(creation("v2Router", [forkFactory, weth]));
  const v3Factory = await one(creation("v3Factory"));
  const v3Router = await one(creation("v3Router", [v3Factory, weth]));
  const v3Positions = await one(creation("v3Positions", [v3Factory, weth, deployer])); // the third, a picture maker, is never asked
  const v3Quoter = await one(creation("v3Quoter", [v3Factory, weth]));
  const tokens: Token[] = [];
  for (const { name, symbol, perEther } of TOKENS) {
    tokens.push({ name, symbol, perEther, address: await one(creation("token", [name, symbol, supply, deployer])) });
  }
  const taxed: Token = {
    name: "Test Token",
    symbol: "TAX",
    perEther: 1000,
    address: await one(creation("taxed", [supply])),
  };
  const addresses: Record<string, Hex> = Object.fromEntries(
    [...tokens, taxed].map(({ symbol, address }) => [symbol, address]),
  );
  addresses.WETH = weth;
  const perEther: Record<string, number> = Object.fromEntries(
    [...tokens, taxed].map((token) => [token.symbol, token.perEther]),
  );
  perEther.WETH = 1;
  const worth = (symbol: string, ether: number) => BigInt(Math.round(ether * perEther[symbol]! * 1e6)) * 10n ** 12n;

  await send([{ to: weth, value: parseEther("30000"), data: call("weth", "deposit"), gas: 60_000n }], "setup");
  const spenders = [mainRouter, forkRouter, v3Positions];
  for (const spender of spenders) {
    await send(
      Object.values(addresses).map((to) => ({
        to,
        data: call("token", "approve", [spender, maxUint256]),
        gas: 60_000n,
      })),
      "setup",
    );
  }

  const pairs: Pair[] = [];
  const venues = [
    { venue: "main" as const, factory: mainFactory, router: mainRouter, list: MAIN_PAIRS },
    { venue: "fork" as const, factory: forkFactory, router: forkRouter, list: FORK_PAIRS },
  ];
  for (const { venue, factory, router, list } of venues) {
    for (const entry of list) {
      const [a, b, ether] = entry.split(" ") as [string, string, string];
      const [amountA, amountB] = [worth(a, Number(ether)), worth(b, Number(ether))];
      const data = call("v2Router", "addLiquidity", [
        addresses[a],
        addresses[b],
        amountA,
        amountB,
        0n,
        0n,
        deployer,
        FAR_DEADLINE,
      ]);
      await send([{ to: router, data, gas: 4_500_000n }], "setup");
      const [token0, token1] = [addresses[a]!, addresses[b]!].sort() as [Hex, Hex];
      const [answer] = await node.read([{ to: factory, data: call("v2Factory", "getPair", [token0, token1]) }]);
      const address = `0x${answer!.slice(26)}` as Hex;
      const [reserves] = await node.read([{ to: address, data: call("v2Pair", "getReserves") }]);
      pairs.push({ address, venue, token0, token1, reserve0: word(reserves!, 0), reserve1: word(reserves!, 1) });
    }
  }

  const pools: V3Pool[] = [];
  for (const entry of V3_POOLS) {
    const [a, b, ether, feeText] = entry.split(" ") as [string, string, string, string];
    const fee = Number(feeText);
    const [first, second] = [a, b].sort((x, y) => (addresses[x]! < addresses[y]! ? -1 : 1)) as [string, string];
    const [amount0, amount1] = [worth(first, Number(ether)), worth(second, Number(ether))];
    const [token0, token1] = [addresses[first]!, addresses[second]!];
    const sqrtPriceX96 = sqrt((amount1 << 192n) / amount0);
    const spacing = { 500: 10, 3000: 60, 10000: 200 }[fee]!;
    const edge = Math.floor(887_272 / spacing) * spacing;
    await send(
      [
        {
          to: v3Positions,
          data: call("v3Positions", "createAndInitializePoolIfNecessary", [token0, token1, fee, sqrtPriceX96]),
          gas: 6_000_000n,
        },
      ],
      "setup",
    );
    const position = {
      token0,
      token1,
      fee,
      tickLower: -edge,
      tickUpper: edge,
      amount0Desired: amount0,
      amount1Desired: amount1,
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: deployer,
      deadline: FAR_DEADLINE,
    };
    await send([{ to: v3Positions, data: call("v3Positions", "mint", [position]), gas: 1_000_000n }], "setup");
    const [answer] = await node.read([{ to: v3Factory, data: call("v3Factory", "getPool", [token0, token1, fee]) }]);
    pools.push({ address: `0x${answer!.slice(26)}`, token0, token1, fee });
  }

  // Every searcher has an executor with WETH and HUSD; the first half of the sandwichers trade from their own account.
  const executors = new Map<Hex, Hex>();
  const bots = [...searchers, ...sandwichers.slice(sandwichers.length / 2)];
  for (const bot of bots) {
    const [mined] = await chain.mine(
      [{ kind: "deployment", from: bot, to: null, data: EXECUTOR_CREATION, gas: 200_000n }],
      { quiet: true },
    );
    const executor = mined!.receipt.contractAddress!;
    executors.set(bot, executor);
    await chain.mine(
      [{ kind: "setup", from: bot, to: weth, value: parseEther("3000"), data: call("weth", "deposit"), gas: 60_000n }],
      { quiet: true },
    );
    await send(
      [{ to: addresses.HUSD!, data: call("token", "transfer", [executor, worth("HUSD", 500)]), gas: 80_000n }],
      "setup",
    );
    const allow = [v3Router, mainRouter].map((spender) => ({
      to: weth,
      data: call("weth", "approve", [spender, maxUint256]),
    }));
    await chain.mine(
      [
        {
          kind: "setup",
          from: bot,
          to: weth,
          data: call("weth", "transfer", [executor, parseEther("2000")]),
          gas: 80_000n,
        },
        {
          kind: "setup",
          from: bot,
          to: executor,
          data: executorInput([
            ...allow,
            { to: addresses.HUSD!, data: call("token", "approve", [v3Router, maxUint256]) },
          ]),
          gas: 200_000n,
        },
        {
          kind: "approval",
          from: bot,
          to: weth,
          data: call("weth", "approve", [mainRouter, maxUint256]),
          gas: 60_000n,
        },
      ],
      { quiet: true },
    );
  }
  for (const bot of sandwichers.slice(0, sandwichers.length / 2)) {
    await chain.mine(
      [{ kind: "setup", from: bot, to: weth, value: parseEther("3000"), data: call("weth", "deposit"), gas: 60_000n }],
      { quiet: true },
    );
    await chain.mine(
      [weth, ...tokens.map(({ address }) => address)].map((to) => ({
        kind: "approval" as const,
        from: bot,
        to,
        data: call("token", "approve", [mainRouter, maxUint256]),
        gas: 60_000n,
      })),
      { quiet: true },
    );
  }
  // For transfers of ownership and upgrades: administrators that are owned, proxies that they administer.
  const admins: Hex[] = [];
  for (let each = 0; each < 3; each++) admins.push(await one(creation("proxyAdmin")));
  const proxies: Hex[] = [];
  for (const admin of admins) proxies.push(await one(creation("proxy", [tokens[0]!.address, admin, "0x"])));

  return {
    weth,
    mainFactory,
    forkFactory,
    mainRouter,
    forkRouter,
    v3Factory,
    v3Router,
    v3Positions,
    v3Quoter,
    tokens,
    taxed,
    pairs,
    pools,
    executors,
    admins,
    proxies,
    worth,
    deployer,
  };
}

export const word = (data: Hex, index: number): bigint => BigInt(`0x${data.slice(2 + index * 64, 66 + index * 64)}`);

function sqrt(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root;
}
