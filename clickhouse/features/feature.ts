/** What a feature is. The catalogue is data: SQL and the documentation are made from it (featureSql.ts, featureDocs.ts). */

/** Trailing windows, in seconds. */
export const WINDOWS = { "5s": 5, "1m": 60, "5m": 300, "1h": 3_600, "24h": 86_400, "48h": 172_800 } as const;
export type Window = keyof typeof WINDOWS;

export const GROUPS = ["price", "volume", "network", "risk"] as const;
export type Group = (typeof GROUPS)[number];

/** Which run of events a feature looks back on: series/, a file a table that it is read from. */
export const SERIES_NAMES = [
  "chain",
  "block",
  "sender",
  "recipient",
  "mev",
  "pool",
  "pair",
  "token",
  "poolHours",
] as const;
export type SeriesName = (typeof SERIES_NAMES)[number];

export interface Feature {
  readonly name: string;
  readonly series: SeriesName;
  /** In words, of the series' terms. */
  readonly formula: string;
  readonly unit: string;
  /** One column each, `name_5m`; without windows one column, `name`. */
  readonly windows?: readonly Window[];
  /** A category is text, to be encoded; all others are numbers. */
  readonly kind?: "category";
  /** In the words of the seed, where it is one of its sixteen. */
  readonly seed?: string;
  /**
   * An expression over the series' own row (`columns` of the series, and what it derives of them) with two macros, both of which end before the row:
   * `@sum(measure)` over the feature's window, `@sum(measure, 1h)` over another; `@last(column, 20)` the last 20 values, oldest first, at
   * most an hour old. What is not finite becomes NULL.
   */
  readonly sql: string;
}

/** Features of one group, as its file exports them. */
export type FeatureGroup = readonly Feature[];
