/** Shows a processor the records of its topic and puts what it makes of them on others, each once. Others' failures are nothing to it. */
import { z } from "zod";
import { type FollowTopicOptions, followTopic, type Handled, type OutputRecord } from "../kafka/followTopic.ts";
import type { Message } from "../kafka/message.ts";
import type { Config } from "../ops/config.ts";
import { messageOf } from "../ops/errors.ts";
import type { Processor, StreamRecord } from "./extension.ts";

const outputSchema = z.array(
  z.object({ topic: z.string().min(1), key: z.string(), value: z.union([z.string(), z.instanceof(Uint8Array)]) }),
);

export type ProcessorOptions = Omit<FollowTopicOptions, "topic" | "name" | "handle"> & {
  readonly processor: Processor;
};

/** Pauses before the same records are shown again, ms. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [500, 30_000];

/** Runs until the signal aborts. @throws what only a person can mend of Kafka, nothing of the processor's */
export function followProcessor({ processor, ...options }: ProcessorOptions): Promise<void> {
  const { config, log } = options;
  const topic = topicNamed(processor.reads, config.kafka);
  return followTopic({
    ...{ ...options, topic, name: `processor-${processor.name}` },
    async handle(messages, { wait }): Promise<Handled> {
      for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE))
        try {
          const given = outputSchema.parse((await processor.process(messages.map(toRecord))) ?? []);
          return { records: given.map((each) => toOutput(each, config.kafka)), count: () => {} };
        } catch (error) {
          const { partition, offset } = messages[0]!;
          const facts = { event: "processor_failed", processor: processor.name, topic, partition, offset };
          log.error(
            { ...facts, records: messages.length, reason: reasonOf(error) },
            "A processor failed; it is shown the same records again",
          );
          await wait(async () => false, pause);
        }
    },
  });
}

const reasonOf = (error: unknown): string =>
  error instanceof z.ZodError
    ? `it returned ${error.issues[0]!.path.join(".") || "something"} of another shape: ${error.issues[0]!.message}, expected an array of { topic, key, value }`
    : messageOf(error);

const toRecord = ({ partition, offset, timestamp, key, value }: Message): StreamRecord => ({
  ...{ partition, offset, time: timestamp, value },
  key: key === null ? null : key.toString(),
});

const toOutput = (
  { topic, key, value }: z.infer<typeof outputSchema>[number],
  kafka: Config["kafka"],
): OutputRecord => ({ topic: topicNamed(topic, kafka), key, value: Buffer.from(value), headers: {} });

/** A topic of ours goes by its usual name. */
function topicNamed(name: string, { topics }: Config["kafka"]): string {
  const ours: Readonly<Record<string, string | undefined>> = {
    tx_raw: topics.txRaw,
    block_status: topics.blockStatus,
    alerts: topics.alerts,
    dead_letters: topics.deadLetters,
    mev_bundles: topics.mevBundles,
    "arbitrage-transactions": topics.arbitrageTransactions,
    "arbitrage-opportunities": topics.arbitrageOpportunities,
    "risk-metrics": topics.riskMetrics,
  };
  return ours[name] ?? name;
}
