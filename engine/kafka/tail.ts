/**
 * Reads partitions from given offsets on, as a member of no group: who tells others what comes in reads everything, and every process of
 * its kind does. Nothing is committed; where to go on is the reader's to know.
 */
import { randomUUID } from "node:crypto";
import type { KafkaConsumer } from "@confluentinc/kafka-javascript";
import { connectionSettings, loadBinding } from "./binding.ts";
import { batchReader, messagesOf } from "./consumeBatch.ts";
import { oneByOne, type StartAt } from "./consumer.ts";
import { KafkaError, kafkaError } from "./errors.ts";
import type { Message } from "./message.ts";
import { promised } from "./promise.ts";

export interface TailOptions {
  readonly brokers: string;
  /** Partitions, each with the offset of the first record to read. */
  readonly from: readonly Required<StartAt>[];
  /** The end of a partition was reached, as far as transactions are settled there: its next record will have this offset. More may come. */
  readonly onEnd?: (end: Required<StartAt>) => void;
  /** What has no caller to be thrown at: brokers away. It goes on by itself. */
  readonly onError: (error: KafkaError) => void;
  readonly timeoutMs?: number;
}

export interface Tail {
  /** The next committed records, at most so many; [] after 100 ms without any. Without keys, and headers but `content-type`. One call at a time. */
  poll(maxRecords: number): Promise<Message[]>;
  close(): Promise<void>;
}

/** Waiting time of a poll that finds nothing: it takes a thread of the pool meanwhile. */
const POLL_MS = 100;

export async function openTail({ brokers, from, onEnd, onError, timeoutMs = 30_000 }: TailOptions): Promise<Tail> {
  const binding = loadBinding();
  const config = {
    ...{ "bootstrap.servers": brokers, "group.id": `weir-tail-${randomUUID()}` }, // the client wants one; nobody joins it
    ...connectionSettings,
    ...{ "enable.auto.commit": false, "enable.auto.offset.store": false, "isolation.level": "read_committed" },
    ...{
      "enable.partition.eof": onEnd !== undefined,
      "queued.max.messages.kbytes": 4_096,
      "fetch.queue.backoff.ms": 5,
    },
    ...{ "fetch.message.max.bytes": 256 * 1024, "fetch.max.bytes": 1024 * 1024, "fetch.wait.max.ms": 100 },
  };
  const native = new binding.KafkaConsumer(config as never, { "auto.offset.reset": "earliest" }) as KafkaConsumer & {
    setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void;
  };
  native.setDefaultConsumeTimeout(POLL_MS);
  native.setDefaultIsTimeoutOnlyForFirstMessage(true);
  native.on("event.error", ({ message }) =>
    onError(new KafkaError(`Cannot reach the brokers "${brokers}": ${message}`, "retry", -195)),
  );
  if (onEnd) native.on("partition.eof", ({ topic, partition, offset }) => onEnd({ topic, partition, offset }));
  await promised(`connect to "${brokers}"`, (done) => native.connect({ timeout: timeoutMs }, done));
  native.assign(from.map(({ topic, partition, offset }) => ({ topic, partition, offset })));

  const called = "of live streams";
  // only the client's own way tells of ends
  const inBatches = onEnd ? undefined : batchReader(native, called);
  const single = oneByOne(native, called);
  const read = async (most: number): Promise<Message[]> =>
    inBatches ? messagesOf(await inBatches(most, POLL_MS)) : ((await single(most)) as Message[]);

  return {
    async poll(maxRecords) {
      try {
        return await read(maxRecords);
      } catch (error) {
        const failed = kafkaError("read topics", error);
        if (failed.kind === "fatal" || failed.kind === "configuration") throw failed;
        onError(failed); // news of the moment: a broker is down
        return [];
      }
    },
    async close() {
      await promised<unknown>("disconnect", (done) => native.disconnect(done));
    },
  };
}
