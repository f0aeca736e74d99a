import type { KafkaError } from "../../kafka/errors.ts";
import { createProducer } from "../../kafka/producer.ts";
import { inTransaction, put } from "../../kafka/transaction.ts";
import type { RecordingLine } from "../recordingLine.ts";
import type { BlockStatus } from "./blockStatus.ts";
import type { BlockRef, ReadBlock } from "./readBlock.ts";
import { readStatusTail } from "./statusTail.ts";

/** Puts what a chain does onto topics. Each call is one transaction: readers of committed records see all of a block, or nothing. */
export interface TopicSink {
  pending(lines: readonly RecordingLine[]): Promise<void>;
  block(block: ReadBlock, lines: readonly RecordingLine[]): Promise<void>;
  reorg(replaced: readonly BlockRef[]): Promise<void>;
  /** The last statuses of the chain that are on the topic. None can come any more but ours: who ran under our id before is fenced. */
  tail(): Promise<BlockStatus[]>;
  close(): Promise<void>;
}

export interface TopicSinkOptions {
  readonly brokers: string;
  readonly txRaw: string;
  readonly blockStatus: string;
  readonly chainId: number;
  /** Of all that put this chain's blocks under this name one may run: the last to start; the others are fenced. */
  readonly transactionalId: string;
  /** Told how many records brokers have acknowledged. */
  readonly onSent?: (records: number) => void;
}

const JSON_TYPE = { "content-type": "application/json" };
/** An aborted transaction is put together anew so often. */
const ATTEMPTS = 5;

/** @throws KafkaError: `fenced` when another runs under the same id, `retry` while brokers are away */
export async function createTopicSink(options: TopicSinkOptions): Promise<TopicSink> {
  const { brokers, txRaw, blockStatus, chainId, transactionalId, onSent } = options;
  const producer = await createProducer({ brokers, transactionalId, ...(onSent && { onSent }) });

  const putRecord = (topic: string, key: string, record: object): Promise<void> =>
    put(producer, topic, null, key, Buffer.from(JSON.stringify(record)), JSON_TYPE);
  const putStatus = (status: BlockStatus): Promise<void> => putRecord(blockStatus, String(chainId), status);

  async function transaction(putAll: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(producer, `put blocks of chain ${chainId}`, putAll);
      } catch (error) {
        if ((error as KafkaError).kind !== "abort" || attempt === ATTEMPTS) throw error;
      }
    }
  }

  return {
    // By chain and sender, so that a sender's nonces stay in order.
    pending: (lines) =>
      transaction(async () => {
        for (const line of lines) await putRecord(txRaw, `${chainId}:${line.from}`, line);
      }),
    // By chain, so that a chain's blocks do.
    block: ({ number, hash, parentHash, proof, block }, lines) =>
      transaction(async () => {
        for (const line of lines) await putRecord(txRaw, String(chainId), line);
        await putStatus({
          ...{ status: "mined", chain_id: chainId, block_number: number, block_hash: hash, parent_hash: parentHash },
          ...{ timestamp: Number(block.timestamp), transaction_count: lines.length, proof },
        });
      }),
    reorg: (replaced) =>
      transaction(async () => {
        for (const { number, hash } of replaced.toReversed())
          await putStatus({ status: "replaced", chain_id: chainId, block_number: number, block_hash: hash });
      }),
    tail: () => readStatusTail(brokers, blockStatus, chainId),
    close: () => producer.close(),
  };
}
