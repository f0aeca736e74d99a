/** How fast things go, from the counters of this process: the figures of /health. */
import type { Metrics } from "../engine/ops/metrics.ts";

export interface Rates {
  /** over the last minute; null when nothing is counted in this process */
  readonly transactions_per_second: number | null;
  /** of the API's answers over the last minute; null without any */
  readonly avg_latency_ms: number | null;
  /** answers of the API with status 500 and above over all answers of the last minute; null without any */
  readonly error_rate: number | null;
}

interface Sample {
  readonly at: number;
  readonly transactions: number;
  readonly counting: boolean;
  readonly requests: number;
  readonly seconds: number;
  readonly failures: number;
}

const EVERY_MS = 5_000;
const WINDOW = 12; // samples: one minute

/** Samples the counters until closed. `now` in ms. */
export function createRates(metrics: Metrics, { now = () => performance.now() }: { now?: () => number } = {}) {
  const samples: Sample[] = [];

  async function sample(): Promise<Sample> {
    const [transactions, latency, requests] = await Promise.all([
      metrics.transactions.get(),
      metrics.apiLatency.get(),
      metrics.apiRequests.get(),
    ]);
    const sum = (values: readonly { value: number }[]) => values.reduce((total, { value }) => total + value, 0);
    return {
      at: now(),
      transactions: sum(transactions.values),
      counting: transactions.values.length > 0,
      requests: sum(requests.values),
      seconds: sum(latency.values.filter(({ metricName }) => metricName?.endsWith("_sum"))),
      failures: sum(requests.values.filter(({ labels }) => Number(labels.status) >= 500)),
    };
  }

  async function take(): Promise<void> {
    samples.push(await sample());
    if (samples.length > WINDOW) samples.shift();
  }

  const timer = setInterval(() => void take(), EVERY_MS).unref();
  const started = take();

  return {
    async read(): Promise<Rates> {
      await started;
      const [from, to] = [samples[0]!, await sample()];
      const requests = to.requests - from.requests;
      const elapsed = (to.at - from.at) / 1000;
      return {
        transactions_per_second: to.counting && elapsed > 0 ? (to.transactions - from.transactions) / elapsed : null,
        avg_latency_ms: requests > 0 ? ((to.seconds - from.seconds) / requests) * 1000 : null,
        error_rate: requests > 0 ? (to.failures - from.failures) / requests : null,
      };
    },
    close: () => clearInterval(timer),
  };
}
