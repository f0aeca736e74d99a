/**
 * What it costs to say what transactions did: real mainnet blocks with receipts, one thread, by kind of transaction.
 *
 *     decode    a line of JSON to a frame
 *     swaps     the swaps of a block's receipts, with tokens and amounts
 *     detect    all of it: swaps, arbitrages, sandwiches, liquidations, JIT, failed attempts, profit and prices
 *     risk      the factors of each transaction's risk
 *     opportunities   pools that the block left out of balance; of pending ones, what a router's swap would leave
 *
 * Times are the thread's CPU, the stages in turn. The kinds' blocks are the real ones with their other transactions left out. The
 * pending ones are the same transactions, before they were mined; what their pools held is made up.
 */
import { existsSync, readFileSync } from "node:fs";
import { type BatchBlock, blocksOf } from "../../engine/chain/blocks.ts";
import type { BlockView } from "../../engine/chain/blockView.ts";
import { createDetector } from "../../engine/chain/detect.ts";
import { findingRecord } from "../../engine/chain/findingJson.ts";
import { findPendingOpportunities } from "../../engine/chain/opportunity/pendingOpportunities.ts";
import { findPoolImbalances } from "../../engine/chain/opportunity/poolImbalances.ts";
import { routerSwapsOf } from "../../engine/chain/opportunity/routerSwap.ts";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import { createRiskScorer } from "../../engine/chain/risk/riskScorer.ts";
import { createSwapFinder } from "../../engine/chain/swaps.ts";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import { logCount } from "../../engine/frame/readFrame.ts";
import { createThreadClock } from "../../engine/worker/stopwatch.ts";
import { figure } from "../figure.ts";
import { appendFrame, blocksLoad } from "../load/load.ts";
import { compare, type Line } from "../recall/recall.ts";
import { REFERENCE, readJudgements } from "../recall/reference.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";

/** The promise, of one core: decoding and full detection. */
const GOAL = { atLeast: 30_000 };
/** µs of a transaction's risk. */
const RISK_GOAL = { below: 5 };
/** V8's optimising compiler works beside, in threads of its own: it gets the time to finish. */
const WARM_UP_MS = 2_000;
/** A sample runs until so much CPU was used: the clock ticks every 4 ms, and a kind may have few transactions. */
const SAMPLE_SECONDS = 0.2;
/** The block of the Merge: 10,041 logs in 80 transactions, nearly all of one token's mints. */
const STORM = 15_537_394;

const findSwaps = createSwapFinder({ registry: builtInRegistry });
const detect = createDetector({ registry: builtInRegistry });
const scoreRisk = createRiskScorer();

export const chain: Scenario = {
  name: "chain",
  async run(context) {
    const { lines, name } = await blocksLoad(1, context.say);
    const mined = lines.filter((line) => !line.includes('"blockNumber":null'));
    const blocks = decodeBlocks(mined);
    context.say(`${mined.length} transactions in ${blocks.length} blocks`);
    const kinds = { all: partOf(blocks, mined, () => true), ...kindsOf(blocks, mined) };
    const figures = Object.entries(kinds).flatMap(([kind, part]) => measureKind(kind, part, context));
    figures.push(...measurePending(mined, context));
    return { checks: name === "blocks" ? checksOf(blocks) : [], figures } satisfies Measured;
  },
};

/** Some transactions of blocks: their lines, and the blocks with only them. */
interface Part {
  readonly lines: readonly Buffer[];
  readonly views: readonly BlockView[];
}

/** The transactions as they waited, those that swap through a router with a market of pools of 1,000 ether on two venues. */
function measurePending(lines: readonly Buffer[], { runs }: Context): Figure[] {
  const chain = builtInRegistry.chains.get(1)!;
  const records = lines.map((line) => {
    const { block, receipt, ...record } = JSON.parse(line.toString()) as Record<string, unknown>;
    return { ...record, blockNumber: null, blockHash: null, transactionIndex: null } as Record<string, unknown>;
  });
  const marketOf = ({ to, input, value }: Record<string, unknown>) => {
    if (!chain.v2Routers.has(String(to))) return undefined;
    const [swap] = routerSwapsOf(Buffer.from(String(input).slice(2), "hex"), BigInt(String(value)));
    const path = swap?.fees ? undefined : swap?.path;
    const reserve = `0x${(10n ** 21n).toString(16)}`;
    const pools = path?.slice(1).flatMap((token, i) =>
      [...chain.v2Factories.keys()].map((factory, venue) => ({
        ...{ address: `0x${String(10 * i + venue).padStart(40, "0")}`, factory },
        ...{ token0: [token, path[i]!].sort()[0]!, token1: [token, path[i]!].sort()[1]! },
        ...{ reserve0: reserve, reserve1: `${reserve}${venue === 0 ? "" : "0"}` },
      })),
    );
    return pools && { market: { blockNumber: "0x1", pools, decimals: {} } };
  };
  const marketed = records.map((record) => [record, marketOf(record)] as const);
  const kinds = {
    "pending, no router's swap": marketed.flatMap(([record, market]) => (market ? [] : [record])),
    "pending, a router's swap": marketed.flatMap(([record, market]) => (market ? [{ ...record, ...market }] : [])),
  };
  return Object.entries(kinds).flatMap(([kind, some]) => {
    if (some.length === 0) return [];
    const writer = createFrameWriter();
    for (const record of some) appendFrame(writer, Buffer.from(JSON.stringify(record)));
    const { bytes, u32, offsets, count } = writer;
    const frames = { bytes, u32 };
    const at = [...offsets.subarray(0, count)];
    let seen = 0;
    const find = (): void => {
      for (const frame of at) seen += findPendingOpportunities(frames, frame, chain).length;
    };
    const [us] = inTurn([find], count, runs);
    if (kind === "pending, a router's swap" && seen === 0)
      throw new Error(`Cannot measure "${kind}": nothing was found`);
    return [figure(`${kind} (${count}): opportunities`, "µs/tx", us!)];
  });
}

function decodeBlocks(lines: readonly Buffer[]): BatchBlock[] {
  const writer = createFrameWriter();
  for (const line of lines) appendFrame(writer, line);
  const { bytes, u32, count, offsets } = writer;
  return blocksOf({ bytes, words: u32, count, frames: offsets });
}

function partOf(
  blocks: readonly BatchBlock[],
  lines: readonly Buffer[],
  takes: (block: BatchBlock, transaction: number) => boolean,
): Part {
  const taken = blocks.map((block) => ({ block, at: [...block.frames.keys()].filter((i) => takes(block, i)) }));
  return {
    lines: taken.flatMap(({ block, at }) => at.map((i) => lines[block.numbers[i]!]!)),
    views: taken.map(({ block, at }) => ({ ...block, frames: at.map((i) => block.frames[i]!) })),
  };
}

function kindsOf(blocks: readonly BatchBlock[], lines: readonly Buffer[]): Record<string, Part> {
  const swapping = new Map(
    blocks.map((block) => [block, new Set(findSwaps(block).map(({ transaction }) => transaction))]),
  );
  const logs = (block: BatchBlock, i: number): number => logCount(block, block.frames[i]!);
  const swaps = (block: BatchBlock, i: number): boolean => swapping.get(block)!.has(i);
  const isStorm = ({ blockNumber }: BatchBlock): boolean => blockNumber === STORM;
  const parts = {
    "without logs": partOf(blocks, lines, (block, i) => logs(block, i) === 0),
    "logs, no swap": partOf(blocks, lines, (block, i) => !isStorm(block) && logs(block, i) > 0 && !swaps(block, i)),
    swaps: partOf(blocks, lines, swaps),
    "the Merge block": partOf(blocks, lines, isStorm),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part.lines.length > 0));
}

function measureKind(kind: string, { lines, views }: Part, { runs }: Context): Figure[] {
  const writer = createFrameWriter();
  const chain = builtInRegistry.chains.get(views[0]!.chainId);
  const swapsOf = views.map((view) => findSwaps(view));
  const masks = new Uint32Array(Math.max(...views.map(({ frames }) => frames.length)));
  let seen = 0; // so that nothing of it can be left out
  const ways = {
    decode() {
      writer.reset();
      for (const line of lines) appendFrame(writer, line);
      seen += writer.count;
    },
    swaps() {
      for (const view of views) seen += findSwaps(view).length;
    },
    detect() {
      for (const view of views) seen += detect(view).length;
    },
    risk() {
      for (const view of views) scoreRisk(view, masks);
      seen += masks[0]!;
    },
    opportunities() {
      for (const [i, view] of views.entries()) seen += findPoolImbalances(view, swapsOf[i]!, chain).length;
    },
  };
  const us = inTurn(Object.values(ways), lines.length, runs);
  if (seen === 0) throw new Error(`Cannot measure "${kind}": nothing was done`);
  const [decode, , whole, risk, opportunities] = us as [number[], number[], number[], number[], number[]];
  const load = `${Math.round(lines.reduce((sum, { length }) => sum + length, 0) / lines.length)} B, no rules`;
  const figures = Object.keys(ways).map((way, i) => ({
    ...figure(`${kind} (${lines.length}): ${way}`, "µs/tx", us[i]!, way === "risk" ? RISK_GOAL : undefined),
    load,
  }));
  if (kind !== "all") return figures;
  const rates = decode.map((each, i) => 1e6 / (each + whole[i]! + risk[i]! + opportunities[i]!));
  return [{ ...figure("rate of one core: decode, detect, risk and opportunities", "tx/s", rates, GOAL), load }, ...figures]; // biome-ignore format: one line
}

/** µs of CPU a transaction, by way and run. In turn, so that what else goes on hits all ways alike. */
function inTurn(ways: readonly (() => void)[], transactions: number, runs: number): number[][] {
  const clock = createThreadClock();
  const sample = (way: () => void): number => {
    const began = clock();
    let used = 0;
    let times = 0;
    for (; used < SAMPLE_SECONDS; times++) {
      way();
      used = clock() - began;
    }
    return (used * 1e6) / (times * transactions);
  };
  for (const began = performance.now(); performance.now() - began < WARM_UP_MS; ) for (const way of ways) way();
  const samples: number[][] = ways.map(() => []);
  for (let run = 0; run < runs; run++) for (const [w, way] of ways.entries()) samples[w]!.push(sample(way));
  return samples;
}

/** What is detected is what `npm run recall` has judged. */
function checksOf(blocks: readonly BatchBlock[]): Check[] {
  if (!existsSync(REFERENCE.expected)) return [];
  const expected = readFileSync(REFERENCE.expected, "utf8").trim().split("\n");
  const found = blocks.flatMap((block) => detect(block).map((finding) => findingRecord(block, finding) as Line));
  const recalls = compare(expected.map((line) => JSON.parse(line) as Line), found, readJudgements()); // biome-ignore format: one line
  return recalls.flatMap(({ kind, differences }) => [
    { name: `${kind}: missed`, expected: 0, got: differences.filter(({ how }) => how === "missed").length },
    {
      name: `${kind}: not judged, or false`,
      expected: 0,
      got: differences.filter(({ verdict }) => verdict !== "ours").length,
    },
  ]);
}
