import { decodeJson } from "./decodeJson.ts";
import { lastError } from "./describeError.ts";
import type { FrameWriter } from "./frameWriter.ts";

/**
 * A transaction as a record has it (the recording format): quantities and data as hex strings. Null and absent are one
 * thing. Members that are not named here are kept.
 */
export interface TransactionRecord {
  chainId: number;
  hash: string;
  from: string;
  to?: string | null;
  nonce: string;
  value: string;
  gas: string;
  gasPrice?: string | null;
  maxFeePerGas?: string | null;
  maxPriorityFeePerGas?: string | null;
  type?: string | null;
  input: string;
  accessList?: readonly { address: string; storageKeys: readonly string[] }[] | null;
  blockNumber?: string | null;
  blockHash?: string | null;
  transactionIndex?: string | null;
  /** ms since 1970, up to three decimals */
  seenAt?: number | null;
  block?: {
    number?: string | null;
    hash?: string | null;
    parentHash?: string | null;
    timestamp?: string | null;
    miner?: string | null;
    gasUsed?: string | null;
    gasLimit?: string | null;
    baseFeePerGas?: string | null;
    transactionCount?: number | null;
  } | null;
  receipt?: {
    status?: string | null;
    gasUsed?: string | null;
    cumulativeGasUsed?: string | null;
    effectiveGasPrice?: string | null;
    contractAddress?: string | null;
    logs?: readonly { address: string; topics: readonly string[]; data: string; logIndex: string }[] | null;
  } | null;
}

/** Appends the frame of a transaction to the writer. Throws what decodeJson would report. For tests and producers, not the hot path. */
export function writeFrame(writer: FrameWriter, transaction: TransactionRecord): void {
  const json = Buffer.from(JSON.stringify(transaction));
  if (decodeJson(json, 0, json.length, writer, writer.count) !== 0) throw new Error(lastError().message);
}
