/** Alerts as they come into the store, and which of their blocks were replaced. */
import { hex, iso, plain, REPLACED } from "../../clickhouse/queries/list.ts";
import { correlationId, type Place } from "../../engine/ops/correlationId.ts";
import type { ReadableStore } from "../deps.ts";
import type { MessageReader } from "../labelledMessages.ts";
import type { PlacedAlert } from "./outbox.ts";

export interface AlertReader {
  /** Offset after the last alert, by partition. */
  heads(source: string): Promise<ReadonlyMap<number, number>>;
  /** What follows on the positions, at most `most` of each look, whole transactions' alerts of an offset together. */
  after(source: string, positions: ReadonlyMap<number, number>, most: number): Promise<PlacedAlert[]>;
  /** Which of these, `chain:hash`, were replaced. */
  replaced(blocks: readonly string[]): Promise<string[]>;
}

const COLUMNS = [
  "lower(hex(t.alert_id)) AS id",
  ...plain("source", "partition", "n", "rule", "rule_version", "severity", "message"),
  ...plain("chain_id", "block_number"),
  ...["tx_hash", "block_hash", "from_address", "to_address"].map((name) => `${hex(`t.${name}`)} AS ${name}`),
  `${iso("t.event_time")} AS detected_at`,
  "t.offset AS offset",
];

export function createAlertReader(store: ReadableStore, readMessages: MessageReader): AlertReader {
  return {
    async heads(source) {
      const sql =
        "SELECT partition, max(offset) + 1 AS next FROM alerts WHERE source = {source:String} GROUP BY partition";
      const rows = await store.rows<{ partition: number; next: string }>(sql, { source });
      return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
    },
    async after(source, positions, most) {
      // Ranges of a partition are stored in order, and the alerts of one come in one insert: nothing appears below a position.
      const known = [...positions].map(([partition, next]) => `(t.partition = ${partition} AND t.offset >= ${next})`);
      const others = `t.partition NOT IN (${[-1, ...positions.keys()].join(",")})`;
      const sql = `SELECT ${COLUMNS.join(", ")} FROM alerts AS t
WHERE t.source = {source:String} AND (${[...known, others].join(" OR ")})
ORDER BY t.partition, t.offset LIMIT {most:UInt32} WITH TIES`;
      const rows = await store.rows<Omit<PlacedAlert, "correlation_id"> & Place>(sql, { source, most });
      const messages = await readMessages(
        rows.map(({ chain_id, message }) => ({ chainId: Number(chain_id), message })),
      );
      return rows.map(({ source, n, ...row }, i) => ({
        ...row,
        ...{ offset: Number(row.offset), message: messages[i]! },
        correlation_id: correlationId({ ...row, source, n }),
      }));
    },
    async replaced(blocks) {
      if (blocks.length === 0) return [];
      const sql = `SELECT concat(toString(chain_id), ':', ${hex("block_hash")}) AS block FROM ${REPLACED} WHERE block IN {blocks:Array(String)}`;
      return (await store.rows<{ block: string }>(sql, { blocks: [...blocks] })).map(({ block }) => block);
    },
  };
}
