/** What the queries of this folder are made of. */
export interface Query {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** `t.hash = unhex({hash:String})` and the values it names. */
export interface Condition {
  readonly sql: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** It asks for what a list's `keys` do not have. */
  readonly beyondKeys?: boolean;
  /** It is about the time that lists are ordered by. */
  readonly ofTime?: boolean;
}

export interface ListSpec {
  readonly table: string;
  /** Of a replacing table: the last row of each key alone. */
  readonly final?: true;
  /** The same rows with what they are filtered and ordered by, where that is cheaper: it is read first, and counted. */
  readonly keys?: string | undefined;
  /** Where its columns are, if `table` is to find, order and count rows by alone: in what is joined there, all of them would have to be carried along. */
  readonly columnsFrom?: string;
  /** expressions over `t`, with their names: as `readList` asks for them, times come as RFC 3339, integers of 64 bits and more and decimals as text */
  readonly columns: readonly string[];
  /** Name to expression: bytes, which come as lower-case hex with 0x. */
  readonly bytes?: Readonly<Record<string, string>>;
  /** A DateTime64 column, then columns (name to type) that make it unique. All descending. */
  readonly order: {
    readonly time: string;
    readonly ties: Readonly<Record<string, string>>;
    /** Ties that are no columns: what they are, over `t`. */
    readonly made?: Readonly<Record<string, string>>;
  };
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
  /** `cursor` of the last row of the page before: time in µs, then the ties, as text */
  readonly after?: readonly string[] | undefined;
  /** The newest rows only of those that are alike in some columns. */
  readonly most?: { readonly rows: number; readonly by: readonly string[] };
  /** Whether it is said how many rows there are on all pages. */
  readonly counted?: boolean;
  /** µs: older rows are not looked at. Without it the query finds out where the page ends. */
  readonly notBefore?: string | undefined;
}

/** Filters that all lists have. */
export interface CommonFilter {
  readonly chainId?: number | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Where a row came from: (source, partition, offset, n) is unique. */
export interface Position {
  readonly source: string;
  readonly partition: number;
  readonly offset: string;
  readonly n: number;
}

export const POSITION_TIES = { source: "String", partition: "UInt16", offset: "UInt64", n: "UInt32" } as const;
