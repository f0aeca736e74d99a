/** Weir at the peers' job: see countingProcess.ts. */

import type { KafkaPeer } from "../peers/kafkaPeer.ts";
import { forkPeer } from "../peers/nodePeers.ts";
import type { CountingJob } from "./countingProcess.ts";

export const countingEngine = (job: CountingJob): KafkaPeer => ({
  name: "Weir",
  start: ({ brokers, topic, group, threads }) =>
    forkPeer("bench/measure/countingProcess", job, 1, {
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: group,
      KAFKA_INSTANCE_ID: "one",
      KAFKA_TOPIC_TX_RAW: topic,
      WEIR_THREADS: String(threads),
    }),
});
