/**
 * How long an alert takes at fixed rates, from when its record was due at the producer, which waits for nobody: to a WebSocket, provisional and
 * published, to a reader of committed records, to a row that a query finds. All samples are in histograms (measure/histogram.ts).
 */
import { UsageError } from "../../engine/ops/errors.ts";
import type { Chart } from "../chart.ts";
import { createHistogram, type Histogram } from "../measure/histogram.ts";
import type { Measured, Scenario } from "../scenario.ts";
import { alertLatency, type Way, warmUp } from "./api/alertLatency.ts";
import { openApiScene } from "./api/scene.ts";

const RATES = [1_000, 5_000, 10_000, 20_000];
const QUICK_RATES = [1_000, 10_000];
const SHARES = [0.5, 0.9, 0.99, 0.999, 1];

export const latency: Scenario = {
  name: "latency",
  async run({ runs, quick, only, say }) {
    const all = quick && only === "" ? QUICK_RATES : RATES;
    const rates = only === "" ? all : all.filter((rate) => String(rate) === only);
    if (rates.length === 0)
      throw new UsageError(`Cannot run "${only}": expected a rate, one of ${RATES.join(", ")} transactions a second`);
    const scene = await openApiScene();
    try {
      const measured: (Measured & { readonly charts: readonly Chart[] })[] = [];
      await warmUp(scene, quick);
      for (const perSecond of rates) {
        const load = { perSecond, seconds: quick ? 5 : 20, runs, shares: SHARES };
        const { ways, ...rest } = await alertLatency(scene, load, say);
        measured.push({ ...rest, charts: [chart(perSecond, ways)] });
      }
      return {
        checks: measured.flatMap(({ checks }) => checks),
        figures: measured.flatMap(({ figures }) => figures),
        charts: measured.flatMap(({ charts }) => charts),
      };
    } finally {
      await scene.close();
    }
  },
};

/** Of all runs together; across, how rare: one in so many alerts takes longer. */
const chart = (perSecond: number, ways: readonly Way[]): Chart => ({
  name: String(perSecond),
  title: `Alerts at ${perSecond.toLocaleString("en-US")} tx/s, from when the record was due`,
  x: { label: "one alert in so many takes longer", log: true },
  y: { label: "ms", log: true },
  series: ways.map(({ name, runs }) => ({ name, points: curve(runs) })),
});

function curve(runs: readonly Histogram[]): [number, number][] {
  const all = createHistogram();
  for (const each of runs) all.add(each);
  const rarities = [1.25, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
  return rarities
    .filter((rarity) => rarity <= all.count)
    .map((rarity) => [rarity, Math.max(0.001, all.percentile(1 - 1 / rarity))]);
}
