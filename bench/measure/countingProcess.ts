/**
 * The peers' job by the engine's own rooms: Kafka source, lanes, threads that decode and run the rules, and the ledger, so that each
 * transaction counts exactly once. Nothing is detected, no rows are made, nothing is stored. Run by countingEngine.ts with fork().
 */
import { Piscina } from "piscina";
import { createLogFor, loadConfiguration } from "../../engine/cli/house.ts";
import { interrupted } from "../../engine/cli/interrupt.ts";
import { runPipeline } from "../../engine/dispatch/pipeline.ts";
import { limitsOf } from "../../engine/engine.ts";
import { kafkaStream } from "../../engine/kafkaStream.ts";
import { createFailpoint } from "../../engine/ops/failpoint.ts";
import { createMetrics } from "../../engine/ops/metrics.ts";
import type { Batch } from "../../engine/source/batch.ts";
import type { Outcome } from "../../engine/worker/outcome.ts";
import type { MixName } from "../load/ruleMix.ts";
import type { PeerMessage } from "../peers/nodePeers.ts";
import type { Counted, CountSettings } from "./countThread.ts";

export interface CountingJob {
  readonly mix: MixName;
  readonly rules: number;
}

const { mix, rules } = JSON.parse(process.argv[2]!) as CountingJob;
const { config } = loadConfiguration();
const { threads } = config.engine;
const counts = new SharedArrayBuffer(4 * rules * threads);
const pool = new Piscina<Batch, Counted>({
  filename: new URL("countThread.ts", import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
  workerData: { mix, rules, counts } satisfies CountSettings,
});
const stream = await kafkaStream({
  config,
  log: createLogFor(config),
  metrics: createMetrics(),
  failpoint: createFailpoint(undefined),
});
const say = (message: PeerMessage): void => void process.send!(message);
const done = { transactions: 0, matches: 0 };
/** Of batches that are not published yet. */
const found = new WeakMap<Outcome, Counted>();

process.on("message", () => {
  const all = new Uint32Array(counts);
  say({
    counts: Array.from({ length: rules }, (_, rule) => {
      let sum = 0;
      for (let at = rule; at < all.length; at += rules) sum += all[at]!;
      return sum;
    }),
  });
});
process.on("disconnect", () => process.exit());
await runPipeline(
  {
    ...stream,
    async work({ batch }) {
      const counted = await pool.run(batch);
      if (counted.refused > 0) throw new Error(`Cannot count: ${counted.refused} records are no transactions`);
      const outcome = nothing(counted.transactions);
      found.set(outcome, counted);
      return outcome;
    },
    store: async () => {},
    current: () => ({ catalogue: "counting", world: "counting" }),
    limits: limitsOf(config),
    observe: {
      published(outcomes) {
        for (const { outcome } of outcomes) {
          const { transactions, matches } = found.get(outcome)!;
          done.transactions += transactions;
          done.matches += matches;
        }
        say(done);
      },
    },
  },
  interrupted(),
);

function nothing(transactions: number): Outcome {
  return {
    ...{ transactions, deadLetters: 0, deadLetterReasons: {}, alerts: 0, findings: [], minutes: new Map() },
    ...{ tables: {}, records: { count: 0, bytes: new Uint8Array(0) }, rules: [] },
  };
}
