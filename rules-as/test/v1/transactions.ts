/** What the modules of v1 are asked about: bare, full, created, pending, odd. Never to be changed. */
import type { TransactionRecord } from "../../../engine/frame/writeFrame.ts";

const hex = (byte: string, bytes: number) => `0x${byte.repeat(bytes)}`;
const word = (value: bigint) => value.toString(16).padStart(64, "0");

const bare: TransactionRecord = {
  chainId: 1,
  hash: hex("a1", 32),
  from: hex("01", 20),
  nonce: "0x0",
  value: "0x0",
  gas: "0x0",
  input: "0x",
};

const full: TransactionRecord = {
  ...bare,
  hash: hex("a2", 32),
  to: hex("02", 20),
  nonce: "0xffffffffffffffff",
  value: hex("ff", 32),
  gas: "0xfedcba9876543210",
  gasPrice: hex("fe", 16),
  maxFeePerGas: "0x10000000000000001",
  maxPriorityFeePerGas: "0x3b9aca00",
  type: "0x2",
  input: `0x095ea7b3${word(0x5en)}${word(2n ** 256n - 1n)}ff`,
  accessList: [
    { address: hex("0a", 20), storageKeys: [hex("0b", 32), hex("0c", 32)] },
    { address: hex("0d", 20), storageKeys: [] },
    { address: hex("0e", 20), storageKeys: [hex("0f", 32)] },
  ],
  blockNumber: "0x1fffffffffffff",
  blockHash: hex("b1", 32),
  transactionIndex: "0xc8",
  seenAt: 1_700_000_000_123.25,
  block: {
    number: "0x1fffffffffffff",
    hash: hex("b1", 32),
    parentHash: hex("b0", 32),
    timestamp: "0x65000000",
    miner: hex("03", 20),
    gasUsed: "0x1c9c380",
    gasLimit: "0x1c9c381",
    baseFeePerGas: "0x7",
    transactionCount: 201,
  },
  receipt: {
    status: "0x1",
    gasUsed: "0x5208",
    cumulativeGasUsed: "0xa410",
    effectiveGasPrice: "0x2540be400",
    contractAddress: null,
    logs: [
      { address: hex("04", 20), topics: [], data: "0x", logIndex: "0x7" },
      {
        address: hex("05", 20),
        topics: [hex("c1", 32), hex("c2", 32), hex("c3", 32), hex("c4", 32)],
        data: hex("d1", 33),
        logIndex: "0x8",
      },
      { address: hex("06", 20), topics: [hex("c5", 32)], data: hex("d2", 64), logIndex: "0x9" },
    ],
  },
};

export const TRANSACTIONS: readonly TransactionRecord[] = [
  bare,
  full,
  {
    ...full,
    hash: hex("a3", 32),
    to: null,
    chainId: 31337,
    type: "0x0",
    input: "0x60806040",
    accessList: null,
    receipt: { ...full.receipt, status: "0x0", contractAddress: hex("07", 20), logs: [] },
  },
  { ...bare, hash: hex("a4", 32), to: hex("02", 20), input: "0x095ea7", seenAt: 1 },
  { ...bare, hash: hex("a5", 32), to: hex("02", 20), chainId: 9_007_199_254_740_991 },
  {
    ...full,
    hash: hex("a6", 32),
    input: `0x095ea7b3${word(1n)}`,
    receipt: { status: null, gasUsed: null, logs: null },
  },
  { ...bare, hash: hex("a7", 32), to: hex("02", 20), input: `0x39509351${word(0x5en)}${word(2n ** 256n - 1n)}` },
];
