/** What an engine used for its transactions. */
import type { Usage } from "./engine.ts";

export const MAIN = "main thread";
const STAGES = ["decode", "detect", "rules", "rows", "records"] as const;

/** µs a transaction between two readings, by what used them. */
export function cpuOf(before: Usage, after: Usage, transactions: number): Record<string, number> {
  const each = (seconds: number): number => (seconds * 1e6) / transactions;
  const cpu: Record<string, number> = {};
  let workers = 0;
  for (const stage of STAGES) {
    const seconds = (after.stages[stage] ?? 0) - (before.stages[stage] ?? 0);
    cpu[stage] = each(seconds);
    workers += seconds;
  }
  if (before.threads && after.threads) {
    const used = (wanted: (name: string) => boolean): number =>
      Object.entries(after.threads!)
        .filter(([name]) => wanted(name))
        .reduce((sum, [name, seconds]) => sum + seconds - (before.threads![name] ?? 0), 0);
    const [main, kafka, all] = [
      used((name) => name === "main"),
      used((name) => name.startsWith("rdk:")),
      used(() => true),
    ];
    cpu[MAIN] = each(main);
    cpu["Kafka client's threads"] = each(kafka);
    cpu["other threads (worker overhead, GC, I/O)"] = each(all - main - kafka - workers);
    cpu["engine in all"] = each(all);
  }
  if (before.store !== undefined && after.store !== undefined)
    cpu["store's process"] = each(after.store - before.store);
  return cpu;
}
