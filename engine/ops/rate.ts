/** How many a second, over the last minute. */
export interface Rate {
  add(count: number): void;
  perSecond(): number;
}

const SECONDS = 60;

/** A ring of seconds: adding costs the same however often it is done. @param now ms; for tests */
export function createRate(now: () => number = () => performance.now()): Rate {
  const counts = new Float64Array(SECONDS);
  /** The second that each place of the ring is of. */
  const seconds = new Float64Array(SECONDS).fill(-1);
  const began = now();
  return {
    add(count) {
      const second = Math.floor(now() / 1000);
      const place = second % SECONDS;
      if (seconds[place] !== second) counts[place] = 0;
      seconds[place] = second;
      counts[place]! += count;
    },
    perSecond() {
      const at = now();
      const oldest = Math.floor(at / 1000) - SECONDS;
      const sum = counts.reduce((total, count, i) => (seconds[i]! > oldest ? total + count : total), 0);
      // the first minute is a shorter one; a second at least, so that a burst is no huge rate
      return sum / Math.min(SECONDS, Math.max(1, (at - began) / 1000));
    },
  };
}
