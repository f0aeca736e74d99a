/** What a rule remembered when it saw a stored transaction, as far as the log of state still has it. */
import { STORED_COLUMNS } from "../frameOfRow.ts";
import type { Position, Query } from "./types.ts";

type Place = Pick<Position, "source" | "partition" | "offset">;

const PARTITION = "source = {source:String} AND partition = {partition:UInt16}";

/** The batch in which a version of a rule saw it, and whether the rule had seen any before. */
export interface BatchRow {
  /** Its first offset; null: that version saw nothing up to there. */
  readonly first: string | null;
  /** The rule, in any version, has seen nothing of the partition before. */
  readonly is_first: number;
}

/** In which world its batch ran, or the last one before in which any rule did; empty: not known. */
export const worldQuery = ({ source, partition, offset }: Place): Query => ({
  sql: `SELECT argMax(world, offset) AS world FROM rule_stats WHERE ${PARTITION} AND offset <= {offset:UInt64}`,
  params: { source, partition, offset },
});

export const batchQuery = (rule: string, version: number, { source, partition, offset }: Place): Query => ({
  sql: `WITH (SELECT maxOrNull(offset) FROM rule_stats
    WHERE rule = {rule:String} AND rule_version = {version:UInt32} AND ${PARTITION} AND offset <= {offset:UInt64} AND evaluations > 0) AS begun
SELECT toString(begun) AS first, toUInt8(count() = 0) AS is_first FROM rule_stats
WHERE rule = {rule:String} AND ${PARTITION} AND offset < begun AND evaluations > 0`,
  params: { rule, version, source, partition, offset },
});

/**
 * The last row of each of its keys below an offset. Rows that a later one has replaced are removed now and then, all of a partition below
 * some offset: that this has not come as far as here, a key with two rows shows.
 * @param trial of a version on trial its number; 0: the live one's state
 */
export const stateBeforeQuery = (rule: string, trial: number, { source, partition, offset }: Place): Query => ({
  sql: `SELECT rule, trial, name, shape, hex(key) AS key, hex(argMax(value, offset)) AS value, argMax(generation, offset) AS generation
FROM rule_state WHERE rule = {rule:String} AND trial = {trial:UInt32} AND ${PARTITION} AND offset < {offset:UInt64}
GROUP BY rule, trial, name, shape, key`,
  params: { rule, trial, source, partition, offset },
});

export const isWholeQuery = ({ source, partition, offset }: Place): Query => ({
  sql: `SELECT 1 AS whole FROM rule_state WHERE ${PARTITION} AND offset <= {offset:UInt64}
GROUP BY rule, trial, name, shape, key HAVING count() > 1 LIMIT 1`,
  params: { source, partition, offset },
});

/** A batch's transactions up to one of them, in the order of the stream. */
export const batchUpToQuery = (first: string, { source, partition, offset, n }: Position): Query => ({
  sql: `SELECT ${STORED_COLUMNS}, t.source AS source, t.partition AS partition FROM transactions AS t
WHERE t.source = {source:String} AND t.partition = {partition:UInt16} AND t.offset >= {first:UInt64}
  AND (t.offset, t.n) <= ({offset:UInt64}, {n:UInt32}) ORDER BY t.offset, t.n`,
  params: { source, partition, first, offset, n },
});
