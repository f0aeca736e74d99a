/**
 * What can be added to Weir without changing it: an ES module whose default export is one of these, or an array of them, and whose path is in
 * WEIR_EXTENSIONS.
 */
export type Extension = Exporter | Processor;

/** A file format of `weir export --format <name>`. */
export interface Exporter {
  readonly kind: "exporter";
  /** Lower-case letters, digits and `-`; none of the formats that there are. */
  readonly name: string;
  /** Of its files' names, without a dot. */
  readonly extension: string;
  /**
   * The bytes of a file, in pieces, text as UTF-8. It has to take all pages; what it throws ends the export, which leaves no file under its final name.
   * @param pages up to 1,000 rows each
   */
  write(pages: AsyncIterable<readonly Row[]>, context: ExportContext): AsyncIterable<string | Uint8Array>;
}

/** By column: integers of 64 bits and more are decimal text, bytes hex with 0x, times ISO 8601. */
export type Row = Readonly<Record<string, unknown>>;

export interface ExportContext {
  /** In their order: the rows' members, also of a file without rows. `type` is ClickHouse's. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string }[];
}

/** Is shown the committed records of a topic, each partition in its order, by `weir process`. */
export interface Processor {
  readonly kind: "processor";
  /** Lower-case letters, digits and `-`. It has a consumer group of its own, `<KAFKA_GROUP_ID>-processor-<name>`: another name begins anew. */
  readonly name: string;
  /** One of ours by its usual name (alerts, mev_bundles, arbitrage-transactions …), whatever it is configured to be called; else any topic. */
  readonly reads: string;
  /**
   * What it returns is put on topics in one Kafka transaction with the position, so a reader of committed records sees it once. What it does beside
   * that may be done again. What it throws is logged, and the same records are shown again after a pause, for as long as it takes.
   */
  process(records: readonly StreamRecord[]): Promise<readonly OutputRecord[] | undefined>;
}

export interface StreamRecord {
  readonly partition: number;
  readonly offset: number;
  /** Broker's time, ms since 1970. */
  readonly time: number;
  readonly key: string | null;
  readonly value: Buffer | null;
}

export interface OutputRecord {
  /** As `reads`; it must be there. */
  readonly topic: string;
  readonly key: string;
  /** Text is UTF-8. */
  readonly value: string | Uint8Array;
}
