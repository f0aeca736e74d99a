/**
 * When the next commit is due. One costs the broker some 5 ms of CPU and the engine 2, whatever is in it: a transaction every 13 ms, as soon as the
 * last was through, was a quarter of two cores. So commits are the further apart the more there is to commit: as many ms as thousands of
 * transactions come a second, within bounds. Measured, broker on the same two cores:
 *
 *     counting only          530,000 to 710,000 transactions a second, the broker's CPU 1.1 to 0.4 us each
 *     10,000 a second        committed alerts' p99 156 to 126 ms, provisional ones' 90 to 69; the engine's CPU 0.81 to 0.58 s a second,
 *                            with fetches gathered for 10 ms (engine/kafka/consumer.ts)
 */
const CLOSEST_APART = 25;
const FURTHEST_APART = 100;
/**
 * With nothing under way for so long, in ms, the load has ended, whatever its pace was. Reads under load are 3 to 10 ms apart (engine/kafka/consumer.ts). Over
 * CLOSEST_APART: where commits come at that pace it changes nothing.
 */
export const LULL = 30;
/**
 * A commit may come so much sooner, as a share of the pace, where nothing is under way any more: all that a read brought is in it then, and the next read
 * is some ms off. At 10,000 a second a read's alerts are committed at once or with the next but one, in place of up to 25 ms later: p50 40 to 31 ms.
 */
const SOONER = 0.6;

export interface CommitPace {
  /** ms from now until the next is due, 0 and below: it is. @param quietSince when nothing is under way, since when */
  wait(now: number, quietSince?: number): number;
  /** @param began ms, monotonic  @param transactions that were committed */
  committed(began: number, transactions: number): void;
}

export function createCommitPace(): CommitPace {
  let last = -Infinity;
  let apart = 0;
  return {
    wait(now, quietSince = Number.POSITIVE_INFINITY) {
      const since = quietSince >= last + SOONER * apart ? quietSince : quietSince + LULL;
      return Math.min(last + apart, since) - now;
    },
    committed(began, transactions) {
      const thousands = transactions / (began - last); // a second: one a ms
      apart = Math.min(FURTHEST_APART, Math.max(CLOSEST_APART, thousands));
      last = began;
    },
  };
}
