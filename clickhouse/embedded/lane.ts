/** Runs at most `width` tasks at once; others wait in line, at most `queue` of them. */
export interface Lane {
  /** @throws Error with ClickHouse's TOO_MANY_SIMULTANEOUS_QUERIES if the line is full */
  enter(): Promise<() => void>;
}

/** Inserts and reads have a lane each, so that a slow report never holds up an insert. */
export function createLane({ name, width, queue }: { name: string; width: number; queue: number }): Lane {
  const waiting: (() => void)[] = [];
  let running = 0;

  function leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = waiting.shift();
      if (next) next();
      else running--;
    };
  }

  return {
    async enter() {
      if (running < width) {
        running++;
      } else {
        if (waiting.length >= queue)
          throw new Error(
            `Code: 202. DB::Exception: Cannot run another ${name}: ${running} are running and ${waiting.length} waiting, expected at most ${queue} waiting. (TOO_MANY_SIMULTANEOUS_QUERIES)`,
          );
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return leaveOnce();
    },
  };
}
