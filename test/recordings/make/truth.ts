import { createHash } from "node:crypto";
import { type Hex, maxUint256, parseEther, toEventSelector } from "viem";
import type { Mined } from "./chain.ts";
import { call } from "./contracts.ts";
import type { Scene } from "./scene.ts";
import type { Arbitrage, Sandwich } from "./searchers.ts";

const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const SWAP_V2 = toEventSelector("Swap(address,uint256,uint256,uint256,uint256,address)");
const SWAP_V3 = toEventSelector("Swap(address,address,int256,int256,uint160,uint128,int24)");
const CONTROL = [
  toEventSelector("OwnershipTransferred(address,address)"),
  toEventSelector("Upgraded(address)"),
  toEventSelector("AdminChanged(address,address)"),
];

/** Counts what was sent, by what the script meant by it, and stops where the chain's receipts say otherwise. */
export function createTruth() {
  const all: Mined[] = [];
  const blocks: number[] = [];
  const arbitrages: (Arbitrage & { hash: Hex; block: number })[] = [];
  const sandwiches: (Sandwich & { block: number; hashes: { front: Hex; victims: Hex[]; back: Hex } })[] = [];

  return {
    all,
    add(
      block: number,
      mined: Mined[],
      planned: { arbitrages: Arbitrage[]; sandwiches: Sandwich[]; plans: readonly object[] },
      scene: Scene | null,
    ): void {
      blocks.push(block);
      all.push(...mined);
      const minedOf = (plan: object) => mined[planned.plans.indexOf(plan)]!;
      for (const arbitrage of planned.arbitrages) {
        const { hash, receipt } = minedOf(arbitrage.plan);
        const profit = netTransfers(receipt.logs, arbitrage.token, arbitrage.account);
        expect(`profit of arbitrage ${hash}`, profit, arbitrage.profit);
        arbitrages.push({ ...arbitrage, hash, block });
      }
      for (const sandwich of planned.sandwiches) {
        const legs = [minedOf(sandwich.front), ...sandwich.victims.map(minedOf), minedOf(sandwich.back)];
        const account = scene!.executors.get(sandwich.front.from) ?? sandwich.front.from;
        const outer = [legs[0]!, legs.at(-1)!].flatMap(({ receipt }) => receipt.logs);
        expect(`profit of sandwich ${legs[0]!.hash}`, netTransfers(outer, sandwich.tokenIn, account), sandwich.profit);
        const places = legs.map((leg) => mined.indexOf(leg));
        expect(
          `order of sandwich ${legs[0]!.hash}`,
          String(places),
          String(places.map((_, index) => places[0]! + index)),
        );
        const hashes = legs.map(({ hash }) => hash);
        sandwiches.push({
          ...sandwich,
          block,
          hashes: { front: hashes[0]!, victims: hashes.slice(1, -1), back: hashes.at(-1)! },
        });
      }
    },

    /** The content of truth.json; the counts under `recorded` are the recorder's own and must agree. */
    summary(
      scene: Scene,
      recording: {
        file: string;
        seed: number;
        replaced: number;
        recorded: { transactions: number; blocks: number; pendingSightings: number };
      },
    ) {
      const { file, seed, replaced, recorded } = recording;
      const count = (accept: (mined: Mined) => boolean) => all.filter(accept).length;
      const failed = (mined: Mined) => Boolean(mined.fails);
      const routers = [scene.mainRouter, scene.forkRouter, scene.v3Router];
      const logs = all.flatMap(({ receipt }) => receipt.logs);
      const seen = count(({ unseen }) => !unseen);
      const facts = {
        transactions: all.length,
        pendingSightings: seen + replaced,
        /** Mined transactions whose line has seenAt; the other sightings were replaced before they were mined. */
        seenBeforeMined: seen,
        replacedPending: replaced,
        blocks: new Set(blocks).size,
        firstBlock: blocks[0],
        lastBlock: blocks.at(-1),
        logs: logs.length,
        senders: new Set(all.map(({ from }) => from)).size,
        contractCreations: count(({ to }) => to === null),
        byType: Object.fromEntries([0, 1, 2].map((type) => [type, count((mined) => mined.type === type)])),
        failed: count(failed),
        failedRouterCalls: count((mined) => failed(mined) && routers.includes(mined.to!)),
        whaleTransfers: count(({ kind, value = 0n }) => kind === "ethTransfer" && value >= parseEther("100")),
        valueOver100Ether: count(({ value = 0n }) => value >= parseEther("100")),
        unlimitedApprovals: count(
          ({ kind, data = "0x" }) => (kind === "approval" || kind === "setup") && isUnlimitedApproval(data),
        ),
        ownershipOrProxyChanges: count(({ receipt }) =>
          receipt.logs.some(({ topics }) => CONTROL.includes(topics[0]!)),
        ),
        largeCalldata: count(({ kind, data = "0x" }) => kind === "calldata" && data.length > 2 + 2 * 1024),
        swapTransactions: count(({ receipt }) =>
          receipt.logs.some(({ topics }) => topics[0] === SWAP_V2 || topics[0] === SWAP_V3),
        ),
        swaps: {
          uniswap_v2: logs.filter(({ topics }) => topics[0] === SWAP_V2).length,
          uniswap_v3: logs.filter(({ topics }) => topics[0] === SWAP_V3).length,
        },
        arbitrages: arbitrages.length,
        failedArbitrages: count(({ kind }) => kind === "arbitrageFailing"),
        sandwiches: sandwiches.length,
        sandwichVictims: sandwiches.reduce((sum, { victims }) => sum + victims.length, 0),
      };
      expect("transactions recorded", recorded.transactions, facts.transactions);
      expect("blocks recorded", recorded.blocks, facts.blocks);
      expect("pending sightings recorded", recorded.pendingSightings, facts.pendingSightings);
      const kinds = Object.fromEntries(
        [...new Set(all.map(({ kind }) => kind))].sort().map((kind) => [kind, count((mined) => mined.kind === kind)]),
      );
      const {
        weth,
        mainFactory,
        forkFactory,
        mainRouter,
        forkRouter,
        v3Factory,
        v3Router,
        v3Positions,
        v3Quoter,
        admins,
        proxies,
        executors,
      } = scene;
      return {
        recording: file,
        chainId: 31337,
        seed,
        lines: facts.transactions + facts.pendingSightings,
        ...facts,
        kinds,
        transactionsDigest: createHash("sha256")
          .update(all.map(({ hash }) => hash).join())
          .digest("hex"),
        routers: { uniswapV2: mainRouter, uniswapV2Fork: forkRouter, uniswapV3: v3Router },
        contracts: {
          weth,
          uniswapV2Factory: mainFactory,
          uniswapV2ForkFactory: forkFactory,
          uniswapV3Factory: v3Factory,
          uniswapV3Positions: v3Positions,
          uniswapV3Quoter: v3Quoter,
          proxyAdmins: admins,
          proxies,
          executors: [...executors.values()],
        },
        tokens: [
          { address: weth, name: "Wrapped Ether", symbol: "WETH", decimals: 18 },
          ...[...scene.tokens, scene.taxed].map(({ address, name, symbol }) => ({
            address,
            name,
            symbol,
            decimals: 18,
          })),
        ],
        pools: [
          ...scene.pairs.map(({ address, venue, token0, token1 }) => ({
            address,
            protocol: "uniswap_v2",
            venue,
            token0,
            token1,
            fee: 3000,
          })),
          ...scene.pools.map(({ address, token0, token1, fee }) => ({
            address,
            protocol: "uniswap_v3",
            venue: "main",
            token0,
            token1,
            fee,
          })),
        ],
        arbitrageList: arbitrages.map(({ hash, block, shape, account, token, profit }) => ({
          hash,
          block,
          shape,
          account,
          profitToken: token,
          profit: String(profit),
        })),
        sandwichList: sandwiches.map(({ hashes, block, pair, tokenIn, profit }) => ({
          block,
          pool: pair,
          ...hashes,
          profitToken: tokenIn,
          profit: String(profit),
        })),
      };
    },
  };
}

const UNLIMITED = call("token", "approve", [`0x${"00".repeat(20)}`, maxUint256]).slice(74);
const isUnlimitedApproval = (data: Hex) => data.startsWith("0x095ea7b3") && data.slice(74) === UNLIMITED;

function netTransfers(logs: Mined["receipt"]["logs"], token: Hex, account: Hex): bigint {
  const isAccount = (topic: Hex | undefined) => topic?.slice(26) === account.slice(2);
  return logs
    .filter(({ address, topics }) => address === token && topics[0] === TRANSFER)
    .reduce(
      (net, { topics, data }) =>
        net + (isAccount(topics[2]) ? BigInt(data) : 0n) - (isAccount(topics[1]) ? BigInt(data) : 0n),
      0n,
    );
}

function expect<Value>(what: string, got: Value, wanted: Value): void {
  if (got !== wanted) throw new Error(`Cannot vouch for ${what}: it is ${got}, expected ${wanted}`);
}
