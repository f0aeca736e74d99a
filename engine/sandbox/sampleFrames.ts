/** A few transactions of every kind, as frames: what a rule is tried on before it is admitted. */
import { attachFacts } from "../chain/facts/attachFacts.ts";
import type { TransactionFacts } from "../chain/facts/factsOf.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import type { FrameSource } from "./rule.ts";

export interface Samples extends FrameSource {
  readonly names: readonly string[];
}

const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const word = (n: number | bigint) => n.toString(16).padStart(64, "0");
const hash = (n: number) => `0x${word(0x5a17_0000_0000n + BigInt(n))}`;
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const OWNERSHIP = "0x8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0";
const MAX = "f".repeat(64);
const MAX_AMOUNT = 2n ** 256n - 1n;

const block = {
  number: "0x1312d00",
  hash: hash(100),
  parentHash: hash(99),
  timestamp: "0x66123456",
  miner: address(0xbeef),
  gasUsed: "0xe4e1c0",
  gasLimit: "0x1c9c380",
  baseFeePerGas: "0x2540be400",
  transactionCount: 6,
};
const log = (topics: string[], data: string, index: number) => ({
  address: address(0x70c0),
  topics,
  data,
  logIndex: `0x${index.toString(16)}`,
});
const mined = (index: number, receipt: TransactionRecord["receipt"]) => ({
  blockNumber: block.number,
  blockHash: block.hash,
  transactionIndex: `0x${index}`,
  block,
  receipt: { gasUsed: "0x5208", cumulativeGasUsed: "0x5208", effectiveGasPrice: "0x2540be400", ...receipt },
});
const plain = (n: number): TransactionRecord => ({
  chainId: 1,
  hash: hash(n),
  from: address(0xa11ce + n),
  to: address(0xb0b),
  nonce: `0x${(420 + n).toString(16)}`,
  value: "0x0",
  gas: "0x30d40",
  gasPrice: "0x2540be400",
  type: "0x0",
  input: "0x",
});

const SAMPLES: Readonly<Record<string, TransactionRecord>> = {
  "a mined transfer of 1,234 ether": {
    ...plain(1),
    value: `0x${(1234n * 10n ** 18n).toString(16)}`,
    ...mined(0, { status: "0x1", logs: [] }),
  },
  "a mined token transfer with logs": {
    ...plain(2),
    input: `0xa9059cbb${word(0xca201)}${word(10n ** 20n)}`,
    ...mined(1, {
      status: "0x1",
      logs: [
        log([TRANSFER, `0x${word(0xa11ce)}`, `0x${word(0xca201)}`], `0x${word(10n ** 20n)}`, 0),
        log([OWNERSHIP, `0x${word(1)}`, `0x${word(2)}`], "0x", 1),
        log([], "0x010203", 2),
      ],
    }),
  },
  "a pending call with an access list": {
    ...plain(3),
    type: "0x2",
    gasPrice: null,
    maxFeePerGas: "0x4a817c800",
    maxPriorityFeePerGas: "0x77359400",
    seenAt: 1_712_345_678_901.5,
    input: `0x095ea7b3${word(0x5be4de)}${MAX}`,
    accessList: [{ address: address(0x70c0), storageKeys: [hash(1), hash(2)] }],
  },
  "a creation": {
    ...plain(4),
    to: null,
    input: `0x6080604052${"5b".repeat(2_000)}`,
    ...mined(2, { status: "0x1", contractAddress: address(0xc0de), logs: [] }),
  },
  "a failed call": { ...plain(5), input: `0x38ed1739${word(1).repeat(5)}`, ...mined(3, { status: "0x0", logs: [] }) },
  "a transaction of another chain": { ...plain(6), chainId: 137, value: "0xffffffffffffffffffffffff" },
  // larger than the smallest input area, so that frames lie elsewhere when it is among them
  "70 kB of input": {
    ...plain(7),
    input: `0x12345678${"a5".repeat(70_000)}`,
    ...mined(4, { status: "0x1", logs: [] }),
  },
};

const SOME = { confidence: "high", protocol: "uniswap_v2", pool: address(0x9001) };
const AMOUNTS = { amountIn: 10n ** 18n, amountOut: MAX_AMOUNT };
const TOKENS = { tokenIn: address(0x70c0), tokenOut: address(0x70c1) };

/** What modules that ask for it are shown of the second sample: some of everything. */
const FACTS: TransactionFacts = {
  flags: new Set(["arbitrage", "routerArbitrage", "sandwich", "liquidation", "jit", "failedAttempt"]),
  risk: 45,
  entries: {
    swap: [0, 1].map((logIndex) => ({ ...SOME, logIndex, from: address(1), to: address(2), ...TOKENS, ...AMOUNTS })),
    arbitrage: [{ confidence: "medium", logIndex: 0, hops: 2, account: address(1), token: address(0x70c0), start: 5n, end: 9n, profit: 4n }],
    sandwich: [{ ...SOME, role: "victim", sandwicher: address(3), token: address(0x70c0), profit: 7n, lossToken: address(0x70c1), loss: 8n }],
    liquidation: [{ ...SOME, logIndex: 1, liquidator: address(1), user: address(4), debtToken: address(0x70c0), collateralToken: address(0x70c1), debtAmount: 3n, collateralAmount: 4n }],
    jit: [{ ...SOME, role: "swap", poolId: hash(9), provider: address(5), liquidity: 6n }],
  },
}; // biome-ignore format: a table

const made = new Map<boolean, Samples>();

/** Made once: the last is the largest. @param withFacts as modules that ask for facts see them */
export function sampleFrames(withFacts = false): Samples {
  const before = made.get(withFacts);
  if (before) return before;
  const writer = createFrameWriter({ capacity: 256 * 1024 });
  for (const sample of Object.values(SAMPLES)) writeFrame(writer, sample);
  const batch = { bytes: writer.bytes, words: writer.u32, frames: writer.offsets, count: writer.count };
  const { words, shown: offsets } = attachFacts(batch, withFacts ? new Map([[1, FACTS]]) : new Map());
  const samples = { names: Object.keys(SAMPLES), words, offsets };
  made.set(withFacts, samples);
  return samples;
}
