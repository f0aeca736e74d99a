/**
 * A histogram with a high dynamic range: any duration from 1 µs to 71 minutes to a part in a thousand, in 23 buckets of 1,024 counters (HdrHistogram's
 * layout). Below 2,048 µs every µs has a counter; above, each doubling has 1,024 of them.
 *
 *     counter:  0 … 2047 │ 2048 … 3071    │ 3072 … 4095     │ …
 *     µs:       0 … 2047 │ 2048 … 4095, 2 │ 4096 … 8191, 4  │ …
 */
export interface Histogram {
  /** @param ms at least 0; what is longer than 71 minutes counts as that */
  record(ms: number): void;
  /** Adds all that another one has. */
  add(other: Histogram): void;
  readonly count: number;
  /** ms that this share of all samples is not above; within 0.1 % of the sample itself, never below it. @throws RangeError without samples */
  percentile(share: number): number;
  /** Counters in order: samples that are not above so many ms, and above those of the counter before. Empty ones are left out. */
  counters(): { readonly ms: number; readonly samples: number }[];
}

const HALF_BITS = 10;
const HALF = 1 << HALF_BITS;
const MOST = 2 ** 32 - 1;
const COUNTERS = 2 * HALF + (31 - HALF_BITS) * HALF;

export function createHistogram(): Histogram {
  const counts = new Float64Array(COUNTERS);
  let count = 0;
  const histogram: Histogram = {
    record(ms) {
      counts[counterOf(Math.min(MOST, Math.max(0, Math.round(ms * 1_000))))]!++;
      count++;
    },
    add(other) {
      for (const { ms, samples } of other.counters()) counts[counterOf(Math.round(ms * 1_000))]! += samples;
      count += other.count;
    },
    get count() {
      return count;
    },
    percentile(share) {
      if (count === 0) throw new RangeError("Cannot take a percentile: there are no samples, expected some");
      const rank = Math.max(1, Math.ceil(share * count - 1e-9)); // 0.999 × 1,000 is a little more than 999
      let seen = 0;
      return histogram.counters().find(({ samples }) => (seen += samples) >= rank)!.ms;
    },
    counters() {
      const filled: { ms: number; samples: number }[] = [];
      for (const [counter, samples] of counts.entries())
        if (samples > 0) filled.push({ ms: highestOf(counter) / 1_000, samples });
      return filled;
    },
  };
  return histogram;
}

function counterOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us) - HALF_BITS);
  return shift * HALF + (us >>> shift);
}

/** The most µs that a counter counts. */
function highestOf(counter: number): number {
  const shift = Math.max(0, (counter >> HALF_BITS) - 1);
  return (counter - shift * HALF + 1) * 2 ** shift - 1;
}
