/**
 * Makes things in their order, some of them at a time: `make(first)` to `make(end - 1)`. What fails, and who leaves the loop, ends what is
 * under way, by its signal, and waits until it has ended.
 * @param together at most, from the one that is waited for on
 */
export async function* ahead<T>(
  { first, end, together }: { readonly first: number; readonly end: number; readonly together: number },
  make: (i: number, signal: AbortSignal) => Promise<T>,
): AsyncGenerator<T, void, void> {
  const stop = new AbortController();
  const underWay: Promise<T>[] = [];
  try {
    for (let i = first, next = first; i < end; i++) {
      for (; next < end && next < i + together; next++) {
        const made = make(next, stop.signal);
        made.catch((error: unknown) => stop.abort(error)); // what comes before it need not go on
        underWay.push(made);
      }
      yield await underWay[0]!.catch(() => {
        throw stop.signal.reason; // of all that failed, the first in time
      });
      underWay.shift();
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay);
  }
}
