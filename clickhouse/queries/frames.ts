import { STORED_COLUMNS, type StoredRow } from "../frameOfRow.ts";
import { commonConditions, equalHex, paramsOf, where } from "./list.ts";
import type { Condition, Position, Query } from "./types.ts";

/** With where it came from. */
export type StoredFrameRow = StoredRow & Position;

/** The transaction of this hash as it was seen last: with its receipt, if it has one. */
export const frameByHashQuery = (hash: string, chainId?: number): Query =>
  frameQuery([...equalHex("hash", hash), ...commonConditions({ chainId }, "event_time")]);

/** The very sighting that an alert is about. */
export function frameByPositionQuery(hash: string, { source, partition, offset, n }: Position): Query {
  const sql = `t.source = {source:String} AND t.partition = {partition:UInt16} AND t.offset = {offset:UInt64} AND t.n = {n:UInt32}`;
  return frameQuery([...equalHex("hash", hash), { sql, params: { source, partition, offset, n } }]);
}

/** Offsets around a transaction within which its block lies: as many records as a batch may have. */
const AROUND = 65_536;

/** All transactions of its block that came with it, in the order of the stream. @param hash of the block */
export function blockQuery(hash: string, { source, partition, offset }: Position): Query {
  const conditions = [
    ...equalHex("block_hash", hash),
    {
      sql: "t.source = {source:String} AND t.partition = {partition:UInt16} AND t.offset BETWEEN {low:UInt64} AND {high:UInt64}",
      params: {
        ...{ source, partition },
        low: String(Math.max(0, Number(offset) - AROUND)),
        high: String(Number(offset) + AROUND),
      },
    },
  ];
  return {
    sql: `SELECT ${STORED_COLUMNS}, t.source AS source, t.partition AS partition FROM transactions AS t${where(conditions)} ORDER BY t.offset, t.n LIMIT ${AROUND}`,
    params: paramsOf(conditions),
  };
}

const frameQuery = (conditions: readonly Condition[]): Query => ({
  sql: `SELECT ${STORED_COLUMNS}, t.source AS source, t.partition AS partition FROM transactions AS t${where(conditions)} ORDER BY t.block_number DESC NULLS LAST, t.event_time DESC LIMIT 1`,
  params: paramsOf(conditions),
});
