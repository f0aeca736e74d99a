import type { Metrics } from "./metrics.ts";

/** Told of each request to a database: how long it took, and the name of its error if it failed. */
export type CallMeter = (operation: string, seconds: number, error: string | undefined) => void;

export const createCallMeter =
  ({ dbLatency, dbDuration, dbErrors }: Pick<Metrics, "dbLatency" | "dbDuration" | "dbErrors">): CallMeter =>
  (operation, seconds, error) => {
    dbLatency.observe({ operation }, seconds);
    dbDuration.observe({ operation }, seconds);
    if (error !== undefined) dbErrors.inc({ operation, error_type: error });
  };

/** Runs it, and tells the meter. */
export async function metered<T>(meter: CallMeter | undefined, operation: string, work: () => Promise<T>): Promise<T> {
  if (!meter) return work();
  const began = performance.now();
  const tell = (error?: string): void => meter(operation, (performance.now() - began) / 1000, error);
  try {
    const result = await work();
    tell();
    return result;
  } catch (error) {
    tell(error instanceof Error ? error.name : "unknown");
    throw error;
  }
}
