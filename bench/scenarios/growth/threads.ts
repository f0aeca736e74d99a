/** Threads from one to as many as there are cores: the peers' job (measure/countingProcess.ts), 1,000 rules of the dense mix, over Kafka. */
import { createAdmin } from "../../../engine/kafka/admin.ts";
import { startBroker } from "../../../test/support/kafkaBroker.ts";
import { figure } from "../../figure.ts";
import { fitPower, middle, type Point } from "../../fit.ts";
import { fill } from "../../load/fill.ts";
import { mixRules, mixTransactions } from "../../load/ruleMix.ts";
import { countByRule, parseTransaction } from "../../load/ruleTruth.ts";
import { countingEngine } from "../../measure/countingEngine.ts";
import type { Check, Context, Figure, Measured } from "../../scenario.ts";

const RULES = 1_000;
const PARTITIONS = 12;
const DISTINCT = 5_000;
const PATIENCE_SECONDS = 600;

export async function threadsGrowth({ runs, quick, say }: Context, most: number): Promise<Measured> {
  const lines = mixTransactions(DISTINCT);
  const matches = countByRule(mixRules("dense", RULES), lines.map(parseTransaction)).reduce((sum, count) => sum + count, 0); // biome-ignore format: one line
  const once = lines.map((line, i) => ({ key: String(i), value: Buffer.from(line) }));
  const copies = quick ? 10 : 40;
  const records = Array.from({ length: copies }, () => once).flat();
  const load = `${Math.round(lines.join("").length / DISTINCT)} B, ${(matches / DISTINCT).toFixed(2)} matches a transaction`; // biome-ignore format: one line
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const points: Point[] = [];
  const broker = await startBroker({ measured: true });
  try {
    for (let threads = 1; threads <= most; threads = threads < most ? Math.min(most, threads * 2) : most + 1) {
      const topic = `threads-${threads}-${process.pid}`;
      const admin = await createAdmin({ brokers: broker.brokers });
      await admin.createTopics([{ topic, partitions: PARTITIONS }]);
      await admin.close();
      const job = { brokers: broker.brokers, topic, group: topic, threads };
      const engine = await countingEngine({ mix: "dense", rules: RULES }).start(job);
      const rates: number[] = [];
      for (let run = 0; run <= runs; run++) {
        const filling = await fill(broker.brokers, topic, records, undefined);
        const began = performance.now();
        await filling.release();
        await engine.until((run + 1) * records.length, PATIENCE_SECONDS);
        if (run > 0) rates.push((1_000 * records.length) / (performance.now() - began)); // the first warms up
        await filling.close();
      }
      const total = (runs + 1) * records.length;
      const got = await engine.until(total, 1);
      await engine.stop();
      checks.push(
        { name: `threads ${threads}: transactions`, expected: total, got: got.transactions },
        { name: `threads ${threads}: matches`, expected: (runs + 1) * copies * matches, got: got.matches },
      );
      figures.push({ ...figure(`threads ${threads}: rate over Kafka`, "tx/s", rates), load });
      points.push([threads, middle(rates)]);
      say(`threads ${threads}: ${Math.round(middle(rates))} tx/s`);
    }
  } finally {
    await broker.close();
  }
  if (points.length > 1) figures.push(figure("threads: rate grows with the power", "", [fitPower(points).power]));
  return {
    ...{ checks, figures },
    charts: [
      {
        ...{ name: "threads", title: "Rate over Kafka by threads" },
        ...{ x: { label: "threads" }, y: { label: "transactions a second" } },
        series: [{ name: "Weir", points }],
      },
    ],
  };
}
