import { createHash } from "node:crypto";
import type { AlertRow } from "../../clickhouse/tables.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { SEVERITIES } from "../sandbox/manifest.ts";
import type { Decoded } from "./decode.ts";
import type { TopicRecord } from "./topicRecords.ts";

/** What a rule raised about a transaction of the batch. */
export interface Alert {
  readonly rule: string;
  readonly version: number;
  /** Number of the transaction in the batch. */
  readonly transaction: number;
  /** Index into SEVERITIES. */
  readonly severity: number;
  readonly message: string;
  /** Counts the alerts of one rule for one transaction. */
  readonly ordinal: number;
}

/**
 * The row of an alert. Its id depends on what it is about and nothing else, so the alert of a replay is the same alert, while
 * the pending sighting of a transaction and its inclusion in a block are two.
 */
export function alertRow(
  decoded: Decoded,
  { rule, version, transaction, severity, message, ordinal }: Alert,
): AlertRow {
  const { bytes, words, frames, source, partition, offsets, indexes, events } = decoded;
  const frame = frames[transaction]!;
  const present = words[(frame + OFFSET.present) >> 2]!;
  const field = (offset: number, width: number): Uint8Array => bytes.slice(frame + offset, frame + offset + width);
  const whole = (offset: number): number =>
    words[(frame + offset + 4) >> 2]! * 0x1_0000_0000 + words[(frame + offset) >> 2]!;
  const hash = field(OFFSET.hash, 32);
  const blockHash = present & PRESENT.blockHash ? field(OFFSET.blockHash, 32) : null;
  const chain = whole(OFFSET.chainId);
  const id = createHash("sha256")
    .update(`${rule}\n${version}\n${chain}\n${hex(hash)}\n${blockHash ? hex(blockHash) : "pending"}\n${ordinal}`)
    .digest();
  return {
    source,
    partition,
    offset: offsets[transaction]!,
    n: indexes[transaction]!,
    event_time: events[transaction]!,
    alert_id: new Uint8Array(id.subarray(0, 16)),
    rule,
    rule_version: version,
    severity: SEVERITIES[severity]!,
    ordinal,
    chain_id: chain,
    tx_hash: hash,
    block_number: present & PRESENT.blockNumber ? whole(OFFSET.blockNumber) : null,
    block_hash: blockHash,
    from_address: field(OFFSET.from, 20),
    to_address: present & PRESENT.to ? field(OFFSET.to, 20) : null,
    message,
  };
}

/** The alert on its topic: JSON, keyed by chain and transaction so that all about one transaction stays in order. */
export function alertRecord(row: AlertRow): TopicRecord {
  const body = {
    id: Buffer.from(row.alert_id).toString("hex"),
    rule: row.rule,
    version: row.rule_version,
    severity: row.severity,
    message: row.message,
    chain_id: row.chain_id,
    tx_hash: hex(row.tx_hash),
    block_number: row.block_number,
    block_hash: row.block_hash && hex(row.block_hash),
    from_address: hex(row.from_address),
    to_address: row.to_address && hex(row.to_address),
    event_time: new Date(row.event_time / 1000).toISOString(),
    source: { topic: row.source, partition: row.partition, offset: row.offset, n: row.n },
  };
  return {
    topic: "alerts",
    key: `${row.chain_id}:${body.tx_hash}`,
    headers: { "content-type": "application/json" },
    value: Buffer.from(JSON.stringify(body)),
  };
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
