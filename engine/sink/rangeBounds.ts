/** Where ranges of a source lie, one a partition: what their rows have in common in every table. */
export interface RangeBounds {
  readonly partition: number;
  readonly from: number;
  /** Offset after it. */
  readonly to: number;
}

/** A condition over `source`, `partition` and `offset`, and the parameters it is asked with. */
export interface RowsOf {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Rows of a source's ranges, at least one. */
export function rowsOf(source: string, ranges: readonly RangeBounds[]): RowsOf {
  const params: Record<string, unknown> = { source };
  const each = ranges.map(({ partition, from, to }, i) => {
    params[`partition${i}`] = partition;
    params[`from${i}`] = from;
    params[`to${i}`] = to;
    return `(partition = {partition${i}:UInt16} AND offset >= {from${i}:UInt64} AND offset < {to${i}:UInt64})`;
  });
  return { sql: `source = {source:String} AND (${each.join(" OR ")})`, params };
}
