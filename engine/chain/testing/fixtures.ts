import { readFileSync } from "node:fs";
import type { TransactionRecord } from "../../frame/writeFrame.ts";
import type { Swap } from "../swap.ts";

/** A real transaction with a log of a protocol, and what that log says. */
export interface Fixture {
  readonly protocol: string;
  readonly chainId: number;
  readonly transaction: string;
  /** Where the log was read, for those that are not in our recording of mainnet blocks. */
  readonly source?: string;
  readonly from: string;
  readonly to: string;
  readonly value: string;
  readonly logs: readonly Log[];
  /** By log index: the swap that is found there. */
  readonly swaps: Readonly<Record<string, FixtureSwap>>;
}

export type Log = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex: string;
};
type FixtureSwap = Pick<
  Swap,
  "protocol" | "pool" | "tokenIn" | "tokenOut" | "from" | "to" | "provenance" | "confidence"
> & {
  readonly amountIn: string;
  readonly amountOut: string;
};

/** One a line. */
const file = new URL("../protocols/fixtures.ndjson", import.meta.url);

export function readFixtures(): Fixture[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** A transaction of a block of its own; what is not given is as plain as can be. */
export function transactionOf(logs: readonly Log[], given: Partial<TransactionRecord> = {}): TransactionRecord {
  const hash = `0x${"11".repeat(32)}`;
  return {
    chainId: 1,
    hash,
    from: `0x${"aa".repeat(20)}`,
    to: `0x${"bb".repeat(20)}`,
    nonce: "0x0",
    value: "0x0",
    gas: "0x0",
    input: "0x",
    blockNumber: "0x1",
    blockHash: hash,
    transactionIndex: "0x0",
    receipt: { status: "0x1", logs },
    ...given,
  };
}
