/** When alerts were raised, as one line of bars. */
const BARS = "▁▂▃▄▅▆▇█";
const WIDTH = 48;

/** @param times µs since 1970, in any order; a text of two lines, empty for no times */
export function chart(times: readonly number[]): string {
  if (times.length === 0) return "";
  let first = Infinity;
  let last = -Infinity;
  for (const time of times) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const counts = new Array<number>(WIDTH).fill(0);
  for (const time of times) counts[Math.min(WIDTH - 1, Math.floor(((time - first) / (last - first || 1)) * WIDTH))]!++;
  const most = Math.max(...counts);
  // an empty stretch is blank, one alert is never
  const bars = counts.map((count) => (count === 0 ? " " : BARS[Math.ceil((count / most) * BARS.length) - 1]));
  return `alerts over time, at most ${most} a bar\n${iso(first)} ${bars.join("")} ${iso(last)}\n`;
}

const iso = (us: number): string => new Date(us / 1000).toISOString().slice(0, 16);
