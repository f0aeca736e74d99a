/**
 * Makes things, `make(first)` to `make(end - 1)`, and yields them in their order. What fails, and who leaves the loop, ends what is under way, by its
 * signal, and waits until it has ended.
 * @param together under way at a time, also while one of them takes longer and whoever asked is busy with the last; as many more wait for their turn at most
 */
export async function* ahead<T>(
  { first, end, together }: { readonly first: number; readonly end: number; readonly together: number },
  make: (i: number, signal: AbortSignal) => Promise<T>,
): AsyncGenerator<T, void, void> {
  const stop = new AbortController();
  /** From the one whose turn it is on. */
  const begun: Promise<T>[] = [];
  let next = first;
  let underWay = 0;
  function begin(): void {
    for (; next < end && underWay < together && begun.length < 2 * together && !stop.signal.aborted; next++) {
      underWay++;
      const made = make(next, stop.signal);
      begun.push(made);
      made.then(
        () => {
          underWay--;
          begin();
        },
        (error: unknown) => stop.abort(error), // what comes before it need not go on
      );
    }
  }
  try {
    for (let i = first; i < end; i++) {
      begin();
      yield await begun[0]!.catch(() => {
        throw stop.signal.reason; // of all that failed, the first in time
      });
      begun.shift();
    }
  } finally {
    stop.abort();
    await Promise.allSettled(begun);
  }
}
