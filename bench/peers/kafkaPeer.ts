/**
 * What others make of the peers' job: records of a topic, one transaction each, and how many of them each rule matches. A peer runs in
 * processes of its own, which the harness starts; it reads its own topic and tells how far it has come.
 */
export interface PeerJob {
  readonly brokers: string;
  readonly topic: string;
  readonly group: string;
  /** Consumers, threads or processes: as many as there are cores. */
  readonly threads: number;
}

export interface Progress {
  readonly transactions: number;
  readonly matches: number;
}

export interface RunningPeer {
  /** Resolves once so many transactions are through. @throws Error when the peer ends before, or takes longer than that */
  until(transactions: number, seconds: number): Promise<Progress>;
  /** Matches by rule; undefined where a peer can only tell their sum. */
  counts(): Promise<readonly number[] | undefined>;
  /** CPU seconds of its processes so far; NaN where the kernel does not tell. */
  cpu(): number;
  stop(): Promise<void>;
}

export interface KafkaPeer {
  readonly name: string;
  /** Transactions of a fill, for a peer that would take hours for all. */
  readonly most?: number;
  /** Counts records alone: a limit, not a peer. */
  readonly countsNothing?: boolean;
  /** @throws Error with the reason when it cannot be had here: no Java, no Maven, no network */
  start(job: PeerJob): Promise<RunningPeer>;
}

/** Puts together what comes from several processes, and wakes whoever waits for it. */
export function createProgress(parts: number) {
  const known: Progress[] = Array.from({ length: parts }, () => ({ transactions: 0, matches: 0 }));
  let ended: Error | undefined;
  let wake: () => void = () => {};
  const sum = (): Progress => ({
    transactions: known.reduce((all, { transactions }) => all + transactions, 0),
    matches: known.reduce((all, { matches }) => all + matches, 0),
  });
  return {
    tell(part: number, progress: Progress): void {
      known[part] = progress;
      wake();
    },
    end(error: Error): void {
      ended ??= error;
      wake();
    },
    async until(transactions: number, seconds: number): Promise<Progress> {
      const deadline = performance.now() + seconds * 1_000;
      for (;;) {
        if (ended) throw ended;
        const now = sum();
        if (now.transactions >= transactions) return now;
        const left = deadline - performance.now();
        if (left <= 0)
          throw new Error(
            `Cannot wait any longer: ${now.transactions} transactions after ${seconds} s, expected ${transactions}`,
          );
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, left);
        });
        clearTimeout(timer);
      }
    },
  };
}
