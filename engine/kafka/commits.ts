import { KafkaError, kafkaError } from "./errors.ts";
import type { TopicPartition } from "./offsets.ts";

type Offset = TopicPartition & { offset: number };
type Waiting = { resolve(): void; reject(error: KafkaError): void; timer: NodeJS.Timeout };

/**
 * Commits on their way. librdkafka reports each in `offset_commit_cb` with its list of offsets but no handle, so a report is
 * matched by that list; equal lists are answered in the order they were sent.
 */
export function createCommits(timeoutMs: number) {
  const waiting = new Map<string, Waiting[]>();
  const keyOf = (offsets: readonly Offset[]) =>
    offsets
      .map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`)
      .sort()
      .join();

  const take = (key: string, which: (list: Waiting[]) => Waiting | undefined): Waiting | undefined => {
    const list = waiting.get(key) ?? [];
    const found = which(list);
    if (found) clearTimeout(found.timer);
    const rest = list.filter((each) => each !== found);
    if (rest.length > 0) waiting.set(key, rest);
    else waiting.delete(key);
    return found;
  };

  return {
    /** A promise for the acknowledgement of a commit that is about to be sent; rejects after the time-out with kind `retry`. */
    expect(offsets: readonly Offset[]): Promise<void> {
      const key = keyOf(offsets);
      return new Promise((resolve, reject) => {
        const entry: Waiting = {
          ...{ resolve, reject },
          timer: setTimeout(() => {
            take(key, () => entry);
            reject(new KafkaError(`Cannot commit "${key}": no answer in ${timeoutMs} ms, expected one`, "retry", -185));
          }, timeoutMs),
        };
        waiting.set(key, [...(waiting.get(key) ?? []), entry]);
      });
    },
    /** Settles the oldest commit with this list. `error` covers the list: the broker's answer does not say which partition failed. */
    acknowledge(error: unknown, offsets: readonly Offset[]): void {
      const key = keyOf(offsets);
      const entry = take(key, ([oldest]) => oldest);
      if (error) entry?.reject(kafkaError(`commit "${key}"`, error));
      else entry?.resolve();
    },
    rejectAll(error: KafkaError): void {
      for (const key of [...waiting.keys()]) {
        while (waiting.has(key)) take(key, ([oldest]) => oldest)?.reject(error);
      }
    },
  };
}
