/** The peers' job for records of 64 frames: what is left once nobody parses JSON. */
import { availableParallelism } from "node:os";
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { figure } from "../../figure.ts";
import { fill } from "../../load/fill.ts";
import { packedRecords, ruleLoad } from "../../load/load.ts";
import { mixRules, mixTransactions } from "../../load/ruleMix.ts";
import { countingEngine } from "../../measure/countingEngine.ts";
import type { Context, Measured } from "../../scenario.ts";

const RULES = 10_000;
const PARTITIONS = 12;
const PATIENCE_SECONDS = 600;

export async function countPacked(brokers: string, { runs, quick, say }: Context): Promise<Measured> {
  const load = ruleLoad("packed", mixRules("dense", RULES), mixTransactions(quick ? 1_000 : 10_000), quick ? 100 : 60);
  const matches = Object.values(load.expected.alerted).reduce((sum, count) => sum + count, 0);
  const total = load.lines.length;
  // by number, not by chain: four chains would be four partitions at most
  const records = packedRecords(load).map((record, i) => ({ ...record, key: String(i) }));
  const topic = `packed-${process.pid}`;
  const admin = await createAdmin({ brokers });
  await admin.createTopics([{ topic, partitions: PARTITIONS }]);
  await admin.close();
  const job = { brokers, topic, group: topic, threads: availableParallelism() };
  const engine = await countingEngine({ mix: "dense", rules: RULES }).start(job);
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const filling = await fill(brokers, topic, records, "application/vnd.weir.frames.v1");
    const began = performance.now();
    await filling.release();
    await engine.until((run + 1) * total, PATIENCE_SECONDS);
    const rate = (1_000 * total) / (performance.now() - began);
    if (run > 0) rates.push(rate); // the first warms up
    await filling.close();
    say(`packed, counting only: ${Math.round(rate)} tx/s`);
  }
  const got = await engine.until((runs + 1) * total, 1);
  await engine.stop();
  return {
    checks: [
      { name: "packed, counting only: transactions", expected: (runs + 1) * total, got: got.transactions },
      { name: "packed, counting only: matches", expected: (runs + 1) * matches, got: got.matches },
    ],
    figures: [{ ...figure("packed, counting only", "tx/s", rates), load: `${load.bytes} B as JSON, ${(matches / total).toFixed(2)} matches a transaction` }], // biome-ignore format: one line
  };
}
