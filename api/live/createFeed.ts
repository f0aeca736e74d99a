import type { LabelStore } from "../../engine/label/labels.ts";
import { createMessageReader } from "../labelledMessages.ts";
import { rememberedLabels } from "../rememberedLabels.ts";
import { createEngineFeed, type EngineFeedOptions } from "./engineFeed.ts";
import type { Feed } from "./feed.ts";
import { createKafkaFeed, type KafkaFeedOptions } from "./kafkaFeed.ts";

export type FeedOptions = Omit<KafkaFeedOptions & EngineFeedOptions, "read"> & { readonly labels: LabelStore };

/** From the topics where there is Kafka, which all API nodes then serve alike; else from the engine of this process. */
export function createFeed({ labels, ...options }: FeedOptions): Feed {
  const read = createMessageReader(rememberedLabels(labels), options.log);
  return options.kafka.brokers ? createKafkaFeed({ ...options, read }) : createEngineFeed({ ...options, read });
}
