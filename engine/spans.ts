/** What spans of the engine say: which records, so that the position in a line of the log or of an alert finds them. */
import type { Stored } from "./dispatch/pipeline.ts";
import type { SpanAttributes } from "./ops/tracing.ts";
import type { Batch } from "./source/batch.ts";

export const batchFacts = ({ source, partition, from, to, count, size }: Batch): SpanAttributes => ({
  "weir.source": source,
  "weir.partition": partition,
  "weir.from": from,
  "weir.to": to,
  "weir.records": count,
  "weir.bytes": size,
});

export const roundFacts = (source: string, members: readonly Stored[]): SpanAttributes => ({
  "weir.source": source,
  "weir.ranges": members.map(({ partition, range }) => `${partition}/${range.from}-${range.cuts.at(-1)}`),
  "weir.rows": members.reduce((sum, { range }) => sum + range.rows, 0),
});
