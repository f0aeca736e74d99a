import { KafkaError } from "./errors.ts";
import type { TopicPartition } from "./offsets.ts";

type Entry = { topic: string; partition: number; epoch: number; revoking: boolean };

/**
 * Which partitions are ours. The broker checks a commit's member and generation but not whose partition it is, so this is the
 * only guard: a partition gets a new epoch whenever it is assigned, and has none while it is another's.
 *
 *     none ──take──▶ owned ──revoking──▶ owned, not read ──drop──▶ none
 *                      └───────────────drop (lost)─────────────────▲
 */
export function createOwnership() {
  const topics = new Map<string, (Entry | undefined)[]>();
  let lastEpoch = 0;

  const find = ({ topic, partition }: TopicPartition) => topics.get(topic)?.[partition];
  const entries = () => [...topics.values()].flatMap((list) => list.filter((entry) => entry !== undefined));
  const names = (list: Entry[]) => list.map(({ topic, partition }) => ({ topic, partition }));

  return {
    take(partitions: readonly TopicPartition[]): void {
      for (const { topic, partition } of partitions) {
        const list = topics.get(topic) ?? [];
        list[partition] = { topic, partition, epoch: ++lastEpoch, revoking: false };
        topics.set(topic, list);
      }
    },
    /** Stops reading those of the partitions that are ours and returns them. */
    revoking(partitions: readonly TopicPartition[]): TopicPartition[] {
      const ours = partitions.map(find).filter((entry) => entry !== undefined);
      for (const entry of ours) entry.revoking = true;
      return names(ours);
    },
    /** Forgets the partitions and returns those that were ours. */
    drop(partitions: readonly TopicPartition[]): TopicPartition[] {
      const ours = partitions.map(find).filter((entry) => entry !== undefined);
      for (const { topic, partition } of ours) topics.get(topic)![partition] = undefined;
      return names(ours);
    },
    /** Whether a record of this partition may be handed out. */
    reads(partition: TopicPartition): boolean {
      return find(partition)?.revoking === false;
    },
    owned: (): TopicPartition[] => names(entries()),
    epoch: (partition: TopicPartition): number | null => find(partition)?.epoch ?? null,
    assertOwned(partitions: readonly (TopicPartition & { epoch?: number })[]): void {
      for (const wanted of partitions) {
        const epoch = find(wanted)?.epoch;
        if (epoch !== undefined && (wanted.epoch === undefined || wanted.epoch === epoch)) continue;
        const state = epoch === undefined ? "it is not assigned to this consumer" : `its ownership epoch is ${epoch}`;
        throw new KafkaError(
          `Cannot commit "${wanted.topic}/${wanted.partition}": ${state}, expected ${wanted.epoch === undefined ? "to own it" : `epoch ${wanted.epoch}`}`,
          "rebalance",
          -142,
        );
      }
    },
  };
}
