import { KafkaError } from "./errors.ts";

export type TopicPartition = { topic: string; partition: number };

/** `offset` is that of the next record to read, as Kafka counts commits. */
export type OffsetToCommit = TopicPartition & {
  offset: number;
  /** At most 4,095 ASCII bytes. A commit without metadata wipes what is there, so it must be given. */
  metadata: string;
  /** The ownership epoch under which the work was done; the commit is refused when the partition has changed hands since. */
  epoch?: number;
};

/** What the group has committed; null where it has committed nothing. */
export type CommittedOffset = TopicPartition & { offset: number | null; metadata: string };

/** The broker's limit (offset.metadata.max.bytes 4096) less the zero that librdkafka appends. */
export const maxMetadataBytes = 4_095;

/** Throws a `record` error for an offset or metadata that the broker would refuse, often without saying which partition. */
export function checkOffsets(offsets: readonly OffsetToCommit[]): void {
  for (const { topic, partition, offset, metadata } of offsets) {
    const refuse = (state: string, wanted: string) => {
      throw new KafkaError(`Cannot commit "${topic}/${partition}": ${state}, expected ${wanted}`, "record", 12);
    };
    if (!Number.isSafeInteger(offset) || offset < 0) refuse(`offset is ${offset}`, "an integer from 0");
    if (metadata.length > maxMetadataBytes) {
      refuse(`metadata has ${metadata.length} characters`, `at most ${maxMetadataBytes}`);
    }
    if (/[^\x20-\x7e]/.test(metadata)) refuse("metadata has a character outside ASCII", "printable ASCII");
  }
}
