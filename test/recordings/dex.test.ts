import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { encodeEventTopics, type Hex } from "viem";
import { beforeAll, describe, expect, it } from "vitest";
import { abiOf } from "./make/contracts.ts";

/** The committed recording against truth.json, counted from the lines alone. */

type Log = { address: string; topics: string[]; data: string; logIndex: string };
type Line = {
  chainId: number;
  hash: string;
  from: string;
  to: string | null;
  nonce: string;
  value: string;
  gas: string;
  gasPrice: string;
  type: string;
  input: string;
  maxFeePerGas?: string;
  maxPriorityFeePerGas?: string;
  accessList?: unknown[];
  blockNumber: string | null;
  blockHash: string | null;
  transactionIndex: string | null;
  seenAt?: number;
  block?: {
    number: string;
    hash: string;
    parentHash: string;
    timestamp: string;
    transactionCount: number;
    gasUsed: string;
    baseFeePerGas: string;
  };
  receipt?: {
    status: string;
    gasUsed: string;
    cumulativeGasUsed: string;
    effectiveGasPrice: string;
    contractAddress: string | null;
    logs: Log[];
  };
};
type Mined = Line & Required<Pick<Line, "block" | "receipt">>;

const folder = new URL("./", import.meta.url);
const truth = JSON.parse(readFileSync(new URL("truth.json", folder), "utf8"));
let lines: Line[];
let mined: Mined[];
let pending: Line[];

beforeAll(() => {
  const text = gunzipSync(readFileSync(new URL(truth.recording, folder))).toString();
  expect(text.endsWith("\n")).toBe(true);
  lines = text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
  mined = lines.filter((line): line is Mined => line.block !== undefined);
  pending = lines.filter(({ block }) => block === undefined);
});

const topic = (abi: Parameters<typeof encodeEventTopics>[0]["abi"], eventName: string) =>
  encodeEventTopics({ abi, eventName })[0] as Hex;
const swapV2 = topic(abiOf("v2Pair"), "Swap");
const swapV3 = topic(abiOf("v3Pool"), "Swap");
const logsOf = (line: Mined, ...topics: string[]) => line.receipt.logs.filter((log) => topics.includes(log.topics[0]!));
const ETHER_100 = 100n * 10n ** 18n;

describe("the bundled recording", () => {
  it("has the size that was promised", () => {
    expect(mined.length).toBeGreaterThanOrEqual(10_000);
    expect(truth.blocks).toBeGreaterThanOrEqual(200);
    expect(new Set(mined.map(({ hash }) => hash)).size).toBe(mined.length);
    const unseen = mined.filter(({ seenAt }) => seenAt === undefined).length;
    expect(unseen / mined.length).toBeGreaterThan(0.2);
    expect(unseen / mined.length).toBeLessThan(0.4);
  });

  it("gives every line the fields of the format, in lower-case hex", () => {
    const quantity = /^0x(0|[1-9a-f][0-9a-f]*)$/;
    const fields: Record<string, (line: Line) => boolean> = {
      chainId: ({ chainId }) => chainId === 31337,
      hash: ({ hash }) => /^0x[0-9a-f]{64}$/.test(hash),
      from: ({ from }) => /^0x[0-9a-f]{40}$/.test(from),
      to: ({ to }) => to === null || /^0x[0-9a-f]{40}$/.test(to),
      quantities: (line) =>
        [line.nonce, line.value, line.gas, line.gasPrice, line.type].every((value) => quantity.test(value)),
      input: ({ input }) => /^0x([0-9a-f]{2})*$/.test(input),
      maxFeePerGas: ({ maxFeePerGas, type }) => (maxFeePerGas !== undefined) === (type === "0x2"),
      accessList: ({ accessList, type }) => (accessList !== undefined) === (type !== "0x0"),
    };
    // One assertion a field: one a line would cost more than all else here.
    for (const [field, holds] of Object.entries(fields))
      expect(
        lines.filter((line) => !holds(line)),
        field,
      ).toEqual([]);
  });

  it("is in chain order, each block whole", () => {
    let at = 0;
    let parent: Mined["block"] | null = null;
    while (at < mined.length) {
      const { block } = mined[at]!;
      const group = mined.slice(at, at + block.transactionCount);
      expect(group.map(({ blockHash, transactionIndex }) => [blockHash, Number(transactionIndex)])).toEqual(
        group.map((_, index) => [block.hash, index]),
      );
      expect(group).toHaveLength(block.transactionCount);
      expect(group.filter((line) => !isDeepStrictEqual(line.block, block))).toEqual([]);
      const used = group.reduce((sum, { receipt }) => sum + BigInt(receipt.gasUsed), 0n);
      expect([used, BigInt(group.at(-1)!.receipt.cumulativeGasUsed)]).toEqual([
        BigInt(block.gasUsed),
        BigInt(block.gasUsed),
      ]);
      const indexes = group.flatMap(({ receipt }) => receipt.logs.map(({ logIndex }) => Number(logIndex)));
      expect(indexes).toEqual(indexes.map((_, index) => index));
      if (parent) {
        expect(block.parentHash).toBe(parent.hash);
        expect(Number(block.number)).toBe(Number(parent.number) + 1);
        expect(Number(block.timestamp) - Number(parent.timestamp)).toBe(12);
      }
      parent = block;
      at += group.length;
    }
    expect(new Set(mined.map(({ blockHash }) => blockHash)).size).toBe(truth.blocks);
    expect([Number(mined[0]!.blockNumber), Number(mined.at(-1)!.blockNumber)]).toEqual([
      truth.firstBlock,
      truth.lastBlock,
    ]);
  });

  it("shows a pending transaction once, before its block, and its mined line says when", () => {
    const sightings = new Map<string, Line>();
    let minedSightings = 0;
    const wrong: Line[] = [];
    const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);
    for (const line of lines) {
      const sighting = sightings.get(line.hash);
      if (!line.block) {
        const place = [line.blockNumber, line.blockHash, line.transactionIndex, line.receipt];
        if (sighting || !same(place, [null, null, null, undefined])) wrong.push(line);
        sightings.set(line.hash, line);
        continue;
      }
      if (line.seenAt !== sighting?.seenAt) wrong.push(line);
      if (!sighting) continue;
      minedSightings++;
      const content = ({ from, to, nonce, value, input }: Line) => [from, to, nonce, value, input];
      const ahead = Number(line.block.timestamp) * 1000 - line.seenAt!;
      if (!same(content(line), content(sighting)) || !(ahead >= 0 && ahead <= 12_000)) wrong.push(line);
    }
    expect(wrong).toEqual([]);
    expect([pending.length, minedSightings, pending.length - minedSightings]).toEqual([
      truth.pendingSightings,
      truth.seenBeforeMined,
      truth.replacedPending,
    ]);
  });

  it("agrees with truth.json on every count", () => {
    const count = (accept: (line: Mined) => boolean) => mined.filter(accept).length;
    const failed = ({ receipt }: Mined) => receipt.status === "0x0";
    const routers = Object.values(truth.routers);
    const control = [
      topic(abiOf("proxyAdmin"), "OwnershipTransferred"),
      topic(abiOf("proxy"), "Upgraded"),
      topic(abiOf("proxy"), "AdminChanged"),
    ];
    const counted = {
      lines: lines.length,
      transactions: mined.length,
      pendingSightings: pending.length,
      logs: mined.reduce((sum, { receipt }) => sum + receipt.logs.length, 0),
      senders: new Set(mined.map(({ from }) => from)).size,
      contractCreations: count(({ to, receipt }) => to === null && receipt.contractAddress !== null),
      byType: {
        0: count(({ type }) => type === "0x0"),
        1: count(({ type }) => type === "0x1"),
        2: count(({ type }) => type === "0x2"),
      },
      failed: count(failed),
      failedRouterCalls: count((line) => failed(line) && routers.includes(line.to)),
      whaleTransfers: count(({ input, value }) => input === "0x" && BigInt(value) >= ETHER_100),
      valueOver100Ether: count(({ value }) => BigInt(value) >= ETHER_100),
      unlimitedApprovals: count(({ input }) => /^0x095ea7b3[0-9a-f]{64}f{64}$/.test(input)),
      ownershipOrProxyChanges: count((line) => logsOf(line, ...control).length > 0),
      largeCalldata: count(({ from, to, input }) => from === to && input.length > 2 + 2 * 1024),
      swapTransactions: count((line) => logsOf(line, swapV2, swapV3).length > 0),
      swaps: {
        uniswap_v2: mined.reduce((sum, line) => sum + logsOf(line, swapV2).length, 0),
        uniswap_v3: mined.reduce((sum, line) => sum + logsOf(line, swapV3).length, 0),
      },
    };
    expect(counted).toEqual(Object.fromEntries(Object.keys(counted).map((key) => [key, truth[key]])));
    for (const [what, number] of Object.entries(counted))
      if (typeof number === "number") expect(number, what).toBeGreaterThan(10);
  });

  it("holds each arbitrage and sandwich that truth.json lists", () => {
    const byHash = new Map(mined.map((line) => [line.hash, line]));
    expect([truth.arbitrageList.length, truth.sandwichList.length]).toEqual([truth.arbitrages, truth.sandwiches]);
    for (const { hash, shape, block } of truth.arbitrageList) {
      const line = byHash.get(hash)!;
      expect([line.receipt.status, Number(line.blockNumber)]).toEqual(["0x1", block]);
      const pools = logsOf(line, swapV2, swapV3).map(({ address }) => address);
      expect(new Set(pools).size).toBe(shape === "threePools" ? 3 : 2);
    }
    for (const { block, pool, front, victims, back } of truth.sandwichList) {
      const legs = [front, ...victims, back].map((hash: string) => byHash.get(hash)!);
      const first = Number(legs[0]!.transactionIndex);
      expect(legs.map((leg) => [Number(leg.blockNumber), Number(leg.transactionIndex), leg.receipt.status])).toEqual(
        legs.map((_, index) => [block, first + index, "0x1"]),
      );
      for (const leg of legs) expect(logsOf(leg, swapV2).map(({ address }) => address)).toEqual([pool]);
      expect([legs[0]!.seenAt, legs.at(-1)!.seenAt]).toEqual([undefined, undefined]);
    }
  });
});
