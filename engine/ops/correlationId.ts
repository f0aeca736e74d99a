/** Where a transaction came in. */
export interface Place {
  /** The topic, or the recording. */
  readonly source: string;
  readonly partition: number;
  readonly offset: number | string;
  /** Which of a record of several it is. */
  readonly n: number;
}

/** One name for all that becomes of a record: `tx_raw/3/41000/0` is in logs, in what explains its alerts, and in what is told of them. */
export const correlationId = ({ source, partition, offset, n }: Place): string =>
  `${source}/${partition}/${offset}/${n}`;
