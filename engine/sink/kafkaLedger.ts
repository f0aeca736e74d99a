import type { Consumer } from "../kafka/consumer.ts";
import type { Producer } from "../kafka/producer.ts";
import { inTransaction } from "../kafka/transaction.ts";
import type { Failpoint } from "../ops/failpoint.ts";
import type { OutputTopic } from "../worker/outcome.ts";
import { unpackRecords } from "../worker/topicRecords.ts";
import { decodeLedger, encodeLedger, type Ledger, type PartitionState } from "./ledger.ts";

export interface KafkaLedgerOptions {
  /** The source topic whose offsets are kept. */
  readonly topic: string;
  readonly consumer: () => Consumer;
  readonly producer: Producer;
  /** undefined: what goes there is not published. */
  readonly topics: Readonly<Record<OutputTopic, string | undefined>>;
  /** For tests that stop the process at a known place. */
  readonly failpoint: Failpoint;
}

/**
 * The ledger in Kafka: the committed offset is `published`, its metadata holds the rest, and both are part of the transaction
 * that carries the output records. A reader of committed records sees each once. The group's generation travels along, so a
 * member that was left behind is refused.
 */
export function createKafkaLedger({ topic, consumer, producer, topics, failpoint }: KafkaLedgerOptions): Ledger {
  return {
    async read(partitions) {
      const committed = await consumer().committed(partitions.map((partition) => ({ topic, partition })));
      const states = new Map<number, PartitionState>();
      for (const { partition, offset, metadata } of committed) {
        if (offset === null) continue;
        // A commit without our text is somebody's reset of the offsets: the group begins there.
        states.set(
          partition,
          metadata === "" ? { stored: offset, published: offset, ranges: [] } : decodeLedger(metadata, offset),
        );
      }
      return states;
    },
    async commit(entries, batches) {
      // Before anything is awaited: the epochs are those in which the work was done, and a partition that changes hands
      // while the transaction is under way is refused.
      const offsets = entries.map(({ partition, state }) => ({
        topic,
        partition,
        offset: state.published,
        metadata: encodeLedger(state),
        epoch: consumer().epoch({ topic, partition }) ?? -1,
      }));
      failpoint("before publish");
      await inTransaction(producer, "commit the ledger", async () => {
        for (const batch of batches) {
          // not `put`: that would be a promise for each of them
          for (const { topic: output, key, headers, value } of unpackRecords(batch)) {
            const name = topics[output];
            if (name !== undefined) while (!producer.produce(name, null, key, value, headers)) await producer.room();
          }
        }
        failpoint("records produced");
        await producer.sendOffsets(offsets, consumer());
        failpoint("before commit");
      });
      failpoint("after publish");
    },
  };
}
