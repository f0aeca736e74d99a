/**
 * Makes the recording that `npm start` replays: a market on a real EVM node, recorded by `weir record`'s own function.
 * `npm run recording:make`, or with another seed and length: `npm run recording:make -- SEED BLOCKS OUT`.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hex } from "viem";
import { record } from "../../../engine/source/recordCommand.ts";
import { startAnvil } from "../../support/anvil.ts";
import { createChain, type Planned } from "./chain.ts";
import { createLedger } from "./ledger.ts";
import { swapThrough } from "./market.ts";
import { createTestNode, quantity } from "./node.ts";
import { startPrivateRelay } from "./privateRelay.ts";
import { createRandom } from "./random.ts";
import { setScene } from "./scene.ts";
import { createSearchers } from "./searchers.ts";
import { type BlockPlan, createTraders } from "./traders.ts";
import { createTruth } from "./truth.ts";

const seed = Number(process.argv[2] ?? 20240601);
const tradingBlocks = Number(process.argv[3] ?? 215);
const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const out = process.argv[4] ?? join(folder, "dex.ndjson.gz");
const START_SECONDS = Date.UTC(2024, 5, 1) / 1000;
const BASE_FEE = 20_000_000_000n;
/** Twice what a block uses on average, so that the base fee neither runs away nor dies. */
const GAS_LIMIT = 8_000_000;

const progress = createProgress();
const clock = { ms: START_SECONDS * 1000, step: 0 };
const anvil = await startAnvil({
  args: [
    "--no-mining",
    "--order",
    "fees",
    "--accounts",
    "220",
    "--balance",
    "1000000",
    "--chain-id",
    "31337",
    "--mnemonic",
    "test test test test test test test test test test test junk",
    "--timestamp",
    String(START_SECONDS),
    "--base-fee",
    String(BASE_FEE),
    "--gas-limit",
    String(GAS_LIMIT),
  ],
});
const relay = await startPrivateRelay(anvil.url);
const stop = new AbortController();
try {
  const node = createTestNode(anvil.url);
  await node.call("anvil_setCoinbase", `0x${"c0".repeat(20)}`);
  // The clock is the market's, not the machine's: a recording that is made again has the same times.
  const recording = record({
    urls: [relay.url],
    out,
    replace: true,
    fromBlock: 1,
    pending: true,
    pollMs: 2,
    signal: stop.signal,
    clock: () => (clock.ms += clock.step),
    onProgress: progress.update,
  });
  recording.catch(progress.fail);
  await progress.until(() => true);
  const truth = await makeMarket(node);
  stop.abort();
  const recorded = await recording;
  writeFileSync(join(dirname(out), "truth.json"), `${JSON.stringify(truth(recorded), null, 1)}\n`);
  process.stderr.write(`\n${out}: ${JSON.stringify(recorded)}\n`);
} finally {
  stop.abort();
  await relay.stop();
  await anvil.stop();
}

async function makeMarket(node: ReturnType<typeof createTestNode>) {
  const random = createRandom(seed);
  const truth = createTruth();
  let announced = 0;
  const chain = createChain({
    node,
    random,
    startSeconds: START_SECONDS,
    async announce(hashes, fromMs, toMs) {
      clock.ms = fromMs;
      clock.step = Math.max(1, Math.floor((toMs - fromMs) / (hashes.length + 1)));
      announced += hashes.length;
      relay.publish(hashes);
      await progress.until((state) => state.pendingSightings === announced);
    },
    recorded: (block) => progress.until((state) => (state.block ?? -1) >= block),
  });
  const mine = chain.mine.bind(chain);
  const accounts = (await node.call<Hex[]>("eth_accounts")).map((account) => account.toLowerCase() as Hex);
  const [deployer, searchers, sandwichers, whales, users] = [
    accounts[0]!,
    accounts.slice(1, 9),
    accounts.slice(9, 13),
    accounts.slice(13, 19),
    accounts.slice(19),
  ];

  // Setting the scene counts too: what it sends is in the recording.
  const setting = {
    ...chain,
    mine: async (plans: Planned[], options?: { quiet?: boolean }) => {
      const mined = await mine(plans, options);
      truth.add(chain.blockNumber(), mined, { arbitrages: [], sandwiches: [], plans }, null);
      return mined;
    },
  };
  const scene = await setScene({ chain: setting, node, deployer, searchers, sandwichers });
  const ledger = createLedger(scene.pairs);
  const traders = createTraders({ random, scene, ledger, users, whales });
  const bots = createSearchers({ random, scene, node, searchers, sandwichers });
  // The near-empty blocks of the deployment have let it fall to nothing.
  await node.call("anvil_setNextBlockBaseFeePerGas", quantity(BASE_FEE));

  for (let each = 0; each < tradingBlocks; each++) {
    const baseFee = await chain.baseFee();
    const block: BlockPlan = { plans: [], last: [], busy: new Set(), seconds: chain.seconds() + 12 };
    const arbitrages = [await bots.arbitrageV3(block), bots.arbitrage(block)];
    const sandwiches = [];
    // Demand falls as the base fee rises, which keeps both around their middle.
    const wanted = Math.min(56, Math.round(random.int(28, 44) * (Number(BASE_FEE) / Number(baseFee)) ** 0.5));
    while (block.plans.length < wanted) {
      const trade = traders.add(block);
      if (!trade) continue;
      const trades = [trade];
      if (random.chance(0.15) && trade.plan.value !== undefined)
        trades.push(...[traders.follow(block, trade)].filter((more) => more !== null));
      const sandwich = random.chance(0.6) ? bots.sandwich(block, trades) : null;
      sandwiches.push(sandwich);
      if (!sandwich) for (const { pair, tokenIn, victim } of trades) swapThrough([pair], tokenIn, victim.amountIn);
      if (!sandwich && random.chance(0.25)) arbitrages.push(bots.arbitrage(block)); // a backrun
    }
    const plans = [...block.plans, ...block.last];
    const mined = await mine(plans);
    ledger.follow(mined);
    truth.add(
      chain.blockNumber(),
      mined,
      {
        arbitrages: arbitrages.filter((found) => found !== null),
        sandwiches: sandwiches.filter((found) => found !== null),
        plans,
      },
      scene,
    );
    process.stderr.write(
      `\rblock ${chain.blockNumber()}   ${truth.all.length} transactions   base fee ${(Number(baseFee) / 1e9).toFixed(1)} gwei   `,
    );
  }
  return (recorded: Awaited<ReturnType<typeof record>>) =>
    truth.summary(scene, { file: out.split("/").at(-1)!, seed, replaced: chain.replaced(), recorded });
}

/** What the recorder has written so far, to wait for. */
function createProgress() {
  type State = { pendingSightings: number; block: number | null };
  let state: State | null = null;
  let failure: Error | null = null;
  let waiting: { holds(state: State): boolean; resolve(): void; reject(error: Error): void }[] = [];
  const settle = () => {
    waiting = waiting.filter(({ holds, resolve, reject }) => {
      if (failure) reject(failure);
      else if (state && holds(state)) resolve();
      else return true;
      return false;
    });
  };
  return {
    update(next: State) {
      state = next;
      settle();
    },
    fail(error: Error) {
      failure = error;
      settle();
    },
    until: (holds: (state: State) => boolean) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ holds, resolve, reject });
        settle();
      }),
  };
}
