/** A straight line through points, by least squares. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Of the slope: with 95 % of such measurements the true one lies within so much of it. Infinity for two points. */
  readonly spread: number;
  /** Share of the points' variance that the line explains. */
  readonly r2: number;
}

export type Point = readonly [x: number, y: number];

/** Student's t for 97.5 %, by degrees of freedom from 1 on; then the normal distribution's. */
const T = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086]; // biome-ignore format: a table

/** @throws RangeError for less than two different x */
export function fitLine(points: readonly Point[]): Line {
  const n = points.length;
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / n;
  const [x0, y0] = [mean(0), mean(1)];
  const sum = (of: (x: number, y: number) => number): number =>
    points.reduce((total, [x, y]) => total + of(x - x0, y - y0), 0);
  const xx = sum((x) => x * x);
  if (!(xx > 0)) throw new RangeError(`Cannot fit a line: ${n} points with one x, expected two that differ`);
  const slope = sum((x, y) => x * y) / xx;
  const left = sum((x, y) => (y - slope * x) ** 2);
  const yy = sum((_, y) => y * y);
  return {
    slope,
    intercept: y0 - slope * x0,
    spread: n > 2 ? (T[n - 3] ?? 1.96) * Math.sqrt(left / (n - 2) / xx) : Number.POSITIVE_INFINITY,
    r2: yy === 0 ? 1 : 1 - left / yy,
  };
}

/** How something grows: y = factor × x^power. */
export interface Growth {
  readonly power: number;
  readonly factor: number;
  readonly spread: number;
  readonly r2: number;
}

/** A line through the logarithms. @throws RangeError for a coordinate that is not above 0 */
export function fitPower(points: readonly Point[]): Growth {
  if (!points.every(([x, y]) => x > 0 && y > 0))
    throw new RangeError(`Cannot fit a power: the points are [${points.join("; ")}], expected all above 0`);
  const { slope, intercept, spread, r2 } = fitLine(points.map(([x, y]) => [Math.log(x), Math.log(y)]));
  return { power: slope, factor: Math.exp(intercept), spread, r2 };
}

/**
 * Whether something that is looked at again and again stays where it is. Neighbouring samples resemble each other, which makes a line
 * through all of them look surer than it is: so it goes through the medians of 12 stretches.
 */
export interface Flatness {
  /** A minute, and what it may be off by. */
  readonly slope: number;
  readonly spread: number;
  readonly median: number;
  /** It does not grow for certain, or by no more than is allowed over the whole time. */
  readonly flat: boolean;
}

const STRETCHES = 12;

/** @param points minutes and values, ascending  @param allowed growth over the whole time @throws RangeError for less than 12 points */
export function flatness(points: readonly Point[], allowed: number): Flatness {
  if (points.length < STRETCHES)
    throw new RangeError(`Cannot say whether ${points.length} samples are flat: expected ${STRETCHES} or more`);
  const size = points.length / STRETCHES;
  const medians = Array.from({ length: STRETCHES }, (_, i): Point => {
    const stretch = points.slice(Math.round(i * size), Math.round((i + 1) * size));
    return [middle(stretch.map(([x]) => x)), middle(stretch.map(([, y]) => y))];
  });
  const { slope, spread } = fitLine(medians);
  const minutes = points.at(-1)![0] - points[0]![0];
  return {
    ...{ slope, spread, median: middle(points.map(([, y]) => y)) },
    flat: slope - spread <= 0 || slope * minutes <= allowed,
  };
}

/** Of an even number the mean of the two in the middle. */
export function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
