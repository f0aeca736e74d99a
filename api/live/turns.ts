/** At most so many at a time; the others wait, first come, first served. */
export function createTurns(most: number) {
  let running = 0;
  const waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn. @returns ends it, which must be called once */
  return async (): Promise<() => void> => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    return () => {
      const next = waiting.shift();
      if (next)
        next(); // the turn goes on to it
      else running--;
    };
  };
}
