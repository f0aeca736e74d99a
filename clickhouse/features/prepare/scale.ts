export const METHODS = ["standard", "minmax", "robust"] as const;
export type Method = (typeof METHODS)[number];

/** How a column of numbers is made comparable: (x - centre) / scale, after cutting off at low and high. Of a column without any number, all 0 and 1. */
export interface Scaling {
  readonly centre: number;
  /** Not 0: of a column that does not vary it is 1. */
  readonly scale: number;
  /** null: nothing is cut off. */
  readonly low: number | null;
  readonly high: number | null;
  /** Numbers it was fitted on, and rows where there was none. */
  readonly known: number;
  readonly unknown: number;
}

export interface ScaleOptions {
  readonly method: Method;
  /** Numbers beyond 3 interquartile ranges from the quartiles count as if they were there (Tukey's outer fences). */
  readonly handleOutliers: boolean;
}

export interface Scaler {
  add(numbers: Iterable<number>): void;
  fit(): Scaling;
}

const FENCE = 3;
/** Numbers of a column that are kept: 0.5 MB. Quartiles of more rows are those of evenly spaced ones. */
const KEPT = 65_536;

/**
 * | method | centre | scale |
 * | --- | --- | --- |
 * | standard | mean | standard deviation |
 * | minmax | smallest | largest less smallest, so that they lie in 0 to 1 |
 * | robust | median | interquartile range |
 *
 * Means and extremes are of what is left after cutting off, of the numbers that are kept.
 */
export function createScaler({ method, handleOutliers }: ScaleOptions): Scaler {
  let kept = new Float64Array(1_024);
  let count = 0;
  let stride = 1;
  let known = 0;
  let unknown = 0;

  function keep(x: number): void {
    if (known++ % stride !== 0) return;
    if (count === KEPT) {
      for (let i = 0; i < KEPT / 2; i++) kept[i] = kept[2 * i]!;
      count = KEPT / 2;
      stride *= 2;
      if ((known - 1) % stride !== 0) return;
    }
    if (count === kept.length) {
      const larger = new Float64Array(2 * count);
      larger.set(kept);
      kept = larger;
    }
    kept[count++] = x;
  }

  return {
    add(numbers) {
      for (const x of numbers) {
        if (Number.isNaN(x)) unknown++;
        else keep(x);
      }
    },
    fit() {
      const sorted = kept.slice(0, count).sort();
      if (count === 0) return { centre: 0, scale: 1, low: null, high: null, known, unknown };
      const [q1, median, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q)) as [number, number, number];
      const low = handleOutliers ? q1 - FENCE * (q3 - q1) : null;
      const high = handleOutliers ? q3 + FENCE * (q3 - q1) : null;
      const fenced = sorted.map((x) => cutOff(x, low, high));
      const [centre, scale] =
        method === "robust"
          ? [median, q3 - q1]
          : method === "minmax"
            ? [fenced[0]!, fenced.at(-1)! - fenced[0]!]
            : meanAndDeviation(fenced);
      return { centre, scale: scale > 0 ? scale : 1, low, high, known, unknown };
    },
  };
}

/** NaN stays NaN. */
export const scaled = (numbers: Float64Array, { centre, scale, low, high }: Scaling): Float64Array =>
  numbers.map((x) => (cutOff(x, low, high) - centre) / scale);

const cutOff = (x: number, low: number | null, high: number | null): number =>
  low !== null && x < low ? low : high !== null && x > high ? high : x;

/** Between neighbours it is interpolated, as numpy does. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

function meanAndDeviation(xs: Float64Array): [mean: number, deviation: number] {
  let mean = 0;
  let squares = 0;
  xs.forEach((x, i) => {
    const from = x - mean;
    mean += from / (i + 1);
    squares += from * (x - mean);
  });
  return [mean, Math.sqrt(squares / xs.length)];
}
