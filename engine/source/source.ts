import type { Records } from "./records.ts";

/** Where records come from: a topic, a recording. It yields them with their positions and knows nothing of what follows. */
export interface Source {
  /** Becomes the `source` column: `tx_raw`, `recording:<sha256>`. */
  readonly name: string;
  /**
   * Delivers until the signal aborts or the stream ends, then resolves. No event is running when it has.
   * @throws when the stream breaks: everything in memory is dropped and read again from the ledger
   */
  run(events: SourceEvents, signal: AbortSignal): Promise<void>;
  /** Stops and restarts the delivery of one partition; what was fetched before may still come. */
  pause(partition: number): void;
  resume(partition: number): void;
  /** How far behind the head the partition is, in records, if the source can tell. */
  lag?(partition: number): number | undefined;
}

export interface SourceEvents {
  /** Partitions are ours now. The answer says where to read each from. */
  assign(partitions: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** They are to be given up: finish what is begun; they are given up when this resolves. */
  revoke(partitions: readonly number[]): Promise<void>;
  /** They are somebody else's already: drop everything. */
  lose(partitions: readonly number[]): void;
  /** Records of one partition, ascending offsets, continuing where the last call ended. */
  records(partition: number, records: Records): void;
}
