/**
 * Events in the order of the chain, by key. An event has `k` (its key, text), `block`, `ord` (its place in the block), `t` (block time, Unix
 * seconds) and `subject`: 1 where the features of transaction (`block`, `tx`) are those of this event. An event of the same block and place as
 * another of its key would make the order arbitrary: there is none.
 */
export interface Series {
  /** What its rows are, in words: for the documentation. */
  readonly about: string;
  readonly tables: readonly string[];
  /** A SELECT with the columns above and those that features read. */
  readonly events: string;
  /** Columns that look at the event before of the same key, in window `one_before`. */
  readonly steps?: Readonly<Record<string, string>>;
  /** Integers, so that sums are exact in any order: what `@sum` adds up. */
  readonly measures: Readonly<Record<string, string>>;
  /** Expressions that several features share; they may use the macros with a window or count of their own. */
  readonly derived?: Readonly<Record<string, string>>;
}
