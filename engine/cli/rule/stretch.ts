import type { StoreReads } from "../../../clickhouse/client.ts";

/** Which transactions, by event_time; µs since 1970, `from` included, `to` not. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export const IN_PERIOD = `t.event_time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND t.event_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')`;

/** Offsets of a partition, `end` not included, and where their rows are. */
export interface Stretch {
  readonly source: string;
  readonly partition: number;
  readonly first: number;
  readonly end: number;
  readonly rows: number;
  /** What stands behind FROM. */
  readonly table: string;
  readonly reads: StoreReads;
}
