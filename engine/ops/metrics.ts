/** Metrics as the table has them, each label bounded, and what is worked out only when somebody looks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { createBounds } from "./labelBounds.ts";
import { type Label, METRICS, type MetricRow } from "./metricsTable.ts";
import { createRate, type Rate } from "./rate.ts";

type LabelsOf<R> = R extends { labels: readonly (infer L extends Label)[] } ? L : never;
type MetricOf<R extends MetricRow> = R["type"] extends "counter"
  ? Counter<LabelsOf<R>>
  : R["type"] extends "gauge"
    ? Gauge<LabelsOf<R>>
    : Histogram<LabelsOf<R>>;

export type Metrics = { readonly [K in keyof typeof METRICS]: MetricOf<(typeof METRICS)[K]> } & {
  readonly registry: Registry;
  /** What is counted here shows as a rate, over the last minute. */
  readonly rates: { readonly recordsSent: Rate; readonly arbitrageTransactions: Rate };
  /** Called whenever somebody reads the metrics: for what is cheaper to ask than to keep. It must not fail. @returns stops that */
  beforeRead(hook: () => void | Promise<void>): () => void;
  /** In Prometheus's text format. */
  text(): Promise<string>;
};

/** For producers: counts what brokers have acknowledged. */
export const countSent =
  ({ recordsSent, rates }: Pick<Metrics, "recordsSent" | "rates">) =>
  (records: number): void => {
    recordsSent.inc(records);
    rates.recordsSent.add(records);
  };

/** @param defaults also what Node tells of the process: CPU, memory, event loop lag, garbage collection */
export function createMetrics({ defaults = true }: { defaults?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (defaults) collectDefaultMetrics({ register: registry });
  const bound = createBounds();
  const made = Object.fromEntries(
    Object.entries<MetricRow>(METRICS).map(([key, { type, name, help, labels = [], buckets }]) => {
      const config = { name, help, labelNames: [...labels], registers: [registry] };
      if (type === "counter") return [key, bound(new Counter(config), "inc")];
      if (type === "gauge") return [key, bound(new Gauge(config), "set")];
      return [key, bound(new Histogram({ ...config, buckets: [...buckets!] }), "observe")];
    }),
  ) as Omit<Metrics, "registry" | "rates" | "beforeRead" | "text">;

  const rates = { recordsSent: createRate(), arbitrageTransactions: createRate() };
  const hooks = new Set<() => void | Promise<void>>();
  hooks.add(() => {
    made.recordsSentRate.set(rates.recordsSent.perSecond());
    made.arbitrageTransactionsRate.set(rates.arbitrageTransactions.perSecond());
  });
  return {
    ...made,
    registry,
    rates,
    beforeRead(hook) {
      hooks.add(hook);
      return () => void hooks.delete(hook);
    },
    async text() {
      await Promise.all([...hooks].map((hook) => hook()));
      return registry.metrics();
    },
  };
}
