/**
 * How cost grows: with rules, with the size of a record, with the share of transactions that match, with the size of blocks, in a thread alone by
 * CPU of each stage; and with threads, over Kafka. A curve is fitted through each, and both are drawn.
 */
import { availableParallelism } from "node:os";
import { UsageError } from "../../engine/ops/errors.ts";
import type { Chart } from "../chart.ts";
import { figure } from "../figure.ts";
import { fitLine, fitPower, middle, type Point } from "../fit.ts";
import { runWorkerCase, type WorkerCase, type WorkerCaseResult } from "../measure/workerCase.ts";
import type { Check, Context, Figure, Measured, Scenario } from "../scenario.ts";
import { threadsGrowth } from "./growth/threads.ts";

interface Dimension {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** `--quick` takes these. */
  readonly few: readonly number[];
  readonly of: (value: number) => Pick<WorkerCase, "load" | "rules">;
  /** What it should cost: so much each and so much for one more, or a power. */
  readonly fit: "line" | "power";
  /** Where it stands across, if that is not the value that was asked for. */
  readonly x?: (result: WorkerCaseResult) => number;
}

/** Two batches: what is not in a cache then is not in one with more either. */
const TRANSACTIONS = 8_192;

const DIMENSIONS: readonly Dimension[] = [
  { name: "rules", unit: "rules", values: [1, 10, 100, 1_000, 10_000], few: [1, 100, 1_000], fit: "power", of: (dense) => ({ load: { kind: "mix" }, rules: { dense } }) }, // biome-ignore format: a row
  { name: "record size", unit: "B", values: [200, 400, 800, 1_600, 4_000, 8_000], few: [200, 1_600, 8_000], fit: "line", of: (bytes) => ({ load: { kind: "sized", bytes }, rules: { dense: 100 } }), x: ({ bytes }) => bytes }, // biome-ignore format: a row
  { name: "match rate", unit: "% of transactions alert", values: [0.01, 0.1, 1, 10, 50], few: [0.01, 1, 50], fit: "line", of: (percent) => ({ load: { kind: "mix" }, rules: { alertingOn: percent / 100 } }) }, // biome-ignore format: a row
  { name: "block size", unit: "transactions a block", values: [10, 50, 200, 1_000, 5_000], few: [10, 200, 5_000], fit: "power", of: (transactions) => ({ load: { kind: "blocks", transactions }, rules: { dense: 100 } }) }, // biome-ignore format: a row
];
const THREADS = "threads";

export const growth: Scenario = {
  name: "growth",
  async run(context) {
    const names = [...DIMENSIONS.map(({ name }) => name), THREADS];
    const wanted = names.filter((name) => name.includes(context.only));
    if (wanted.length === 0)
      throw new UsageError(`Cannot run "${context.only}": expected a part of ${names.join(", ")}`);
    const measured: Measured[] = [];
    for (const dimension of DIMENSIONS)
      if (wanted.includes(dimension.name)) measured.push(await measureDimension(dimension, context));
    if (wanted.includes(THREADS)) measured.push(await threadsGrowth(context, availableParallelism()));
    return {
      checks: measured.flatMap(({ checks }) => checks),
      figures: measured.flatMap(({ figures }) => figures),
      charts: measured.flatMap(({ charts = [] }) => charts),
    };
  },
};

async function measureDimension(dimension: Dimension, { runs, quick, say }: Context): Promise<Measured> {
  const { name, values, few, of, x = () => Number.NaN } = dimension;
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const stages: Record<string, Point[]> = {};
  const totals: Point[] = [];
  for (const value of quick ? few : values) {
    const result = await runWorkerCase({ ...of(value), transactions: TRANSACTIONS, runs });
    const at = Number.isNaN(x(result)) ? value : x(result);
    const title = `${name} ${at.toLocaleString("en-US")}`;
    const each = result.stages;
    const all = each.decode.map((_, run) => Object.values(each).reduce((sum, samples) => sum + samples[run]!, 0));
    const load = `${result.bytes} B, ${(result.matches / result.transactions).toFixed(2)} matches and ${(result.alerts / result.transactions).toFixed(4)} alerts a transaction`; // biome-ignore format: one line
    figures.push({ ...figure(`${title}: CPU of a worker`, "µs/tx", all), load });
    for (const [stage, samples] of Object.entries(each)) {
      figures.push({ ...figure(`${title}: CPU ${stage}`, "µs/tx", samples), load });
      (stages[stage] ??= []).push([at, middle(samples)]);
    }
    totals.push([at, middle(all)]);
    checks.push(
      { name: `${title}: dead letters`, expected: 0, got: result.deadLetters },
      { name: `${title}: alerts`, expected: result.expected.alerts, got: result.alerts },
      { name: `${title}: matches`, expected: result.expected.matches, got: result.matches },
    );
    say(`${title}: ${middle(all).toFixed(2)} µs a transaction`);
  }
  const fitted = curveOf(dimension, totals);
  return { checks, figures: [...figures, ...fitted.figures], charts: [chart(dimension, stages, totals, fitted.curve)] };
}

function curveOf({ name, unit, fit }: Dimension, points: readonly Point[]): { figures: Figure[]; curve: Point[] } {
  const xs = points.map(([x]) => x);
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const across = Array.from({ length: 40 }, (_, i) => low * (high / low) ** (i / 39));
  const spreading = (title: string, figureUnit: string, value: number, spread: number): Figure => ({
    ...figure(title, figureUnit, [value]),
    ...(Number.isFinite(spread) ? { min: Number((value - spread).toPrecision(4)), max: Number((value + spread).toPrecision(4)) } : {}), // biome-ignore format: one line
  });
  if (fit === "power") {
    const { power, factor, spread, r2 } = fitPower(points);
    return {
      figures: [
        spreading(`${name}: CPU grows with the power`, "", power, spread),
        figure(`${name}: R² of that`, "", [r2]),
      ],
      curve: across.map((x) => [x, factor * x ** power]),
    };
  }
  const { slope, intercept, spread, r2 } = fitLine(points);
  return {
    figures: [
      spreading(`${name}: CPU of one more`, `µs/${unit}`, slope, spread),
      figure(`${name}: CPU without any`, "µs/tx", [intercept]),
      figure(`${name}: R² of that`, "", [r2]),
    ],
    curve: across.map((x) => [x, intercept + slope * x]),
  };
}

const chart = (
  { name, unit }: Dimension,
  stages: Readonly<Record<string, readonly Point[]>>,
  totals: readonly Point[],
  curve: readonly Point[],
): Chart => ({
  name: name.replaceAll(" ", "-"),
  title: `CPU of a worker thread by ${name}`,
  x: { label: unit, log: true },
  y: { label: "µs a transaction" },
  series: [
    { name: "all", points: totals },
    { name: "fitted", points: curve, bare: true },
    ...Object.entries(stages).map(([stage, points]) => ({ name: stage, points })),
  ],
});
