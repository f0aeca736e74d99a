import { hash as digest } from "node:crypto";
import type { AlertRow } from "../../clickhouse/tables/alerts.ts";
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

/** An alert's row, with the same in hexadecimal digits for its record. */
export interface RaisedAlert extends AlertRow {
  readonly texts: {
    readonly id: string;
    readonly hash: string;
    readonly blockHash: string | null;
    readonly from: string;
    readonly to: string | null;
  };
}

/**
 * The row of an alert. Its id depends on what it is about and nothing else, so the alert of a replay is the same alert, while
 * the pending sighting of a transaction and its inclusion in a block are two. Bytes are views of the batch.
 */
export function alertRow(
  decoded: Decoded,
  { rule, version, transaction, severity, message, ordinal }: Alert,
): RaisedAlert {
  const { bytes, words, frames, source, partition, offsets, indexes, events } = decoded;
  const frame = frames[transaction]!;
  const present = words[(frame + OFFSET.present) >> 2]!;
  const hasBlock = (present & PRESENT.blockHash) !== 0;
  const hasTo = (present & PRESENT.to) !== 0;
  const chain_id = whole(words, frame + OFFSET.chainId);
  const digits = hex(bytes, frame + HASHES.from, HASHES.to - HASHES.from);
  const hash = digitsOf(digits, OFFSET.hash, 32);
  const blockHash = hasBlock ? digitsOf(digits, OFFSET.blockHash, 32) : null;
  const about = `${rule}\n${version}\n${chain_id}\n${hash}\n${blockHash ?? "pending"}\n${ordinal}`;
  const id = digest("sha256", about).slice(0, 2 * ID_BYTES); // as digits it takes 0.85 µs, as a Buffer 2.4
  return {
    source,
    partition,
    offset: offsets[transaction]!,
    n: indexes[transaction]!,
    event_time: events[transaction]!,
    alert_id: Buffer.from(id, "hex"),
    rule,
    rule_version: version,
    severity: SEVERITIES[severity]!,
    ordinal,
    chain_id,
    tx_hash: view(bytes, frame + OFFSET.hash, 32),
    block_number: present & PRESENT.blockNumber ? whole(words, frame + OFFSET.blockNumber) : null,
    block_hash: hasBlock ? view(bytes, frame + OFFSET.blockHash, 32) : null,
    from_address: view(bytes, frame + OFFSET.from, 20),
    to_address: hasTo ? view(bytes, frame + OFFSET.to, 20) : null,
    message,
    texts: {
      id,
      hash,
      blockHash,
      from: digitsOf(digits, OFFSET.from, 20),
      to: hasTo ? digitsOf(digits, OFFSET.to, 20) : null,
    },
  };
}

const ID_BYTES = 16;
/** Hashes and addresses stand side by side in a frame: from the transaction's hash to its recipient they become digits at once. */
const HASHES = { from: OFFSET.hash, to: OFFSET.to + 20 } as const;

// not closures of alertRow: where a loader keeps names (tsx does), naming them for each alert takes a third of its time
const view = (bytes: Uint8Array, at: number, width: number): Uint8Array => bytes.subarray(at, at + width);
const whole = (words: Uint32Array, at: number): number => words[(at + 4) >> 2]! * 0x1_0000_0000 + words[at >> 2]!;
const hex = ({ buffer, byteOffset }: Uint8Array, at: number, width: number): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset + at, width).toString("hex");
const digitsOf = (digits: string, offset: number, width: number): string =>
  `0x${digits.slice(2 * (offset - HASHES.from), 2 * (offset - HASHES.from + width))}`;

const HEADERS = { "content-type": "application/json" };

/** The alert on its topic: JSON, keyed by chain and transaction so that all about one transaction stays in order. */
export function alertRecord(row: RaisedAlert): TopicRecord {
  const { id, hash, blockHash, from, to } = row.texts;
  // put together by hand: an object and its JSON cost twice as much
  const value =
    `{"id":"${id}","rule":${json(row.rule)},"version":${row.rule_version},"severity":"${row.severity}",` +
    `"ordinal":${row.ordinal},"message":${json(row.message)},"chain_id":${row.chain_id},"tx_hash":"${hash}","block_number":${row.block_number},` +
    `"block_hash":${orNull(blockHash)},"from_address":"${from}","to_address":${orNull(to)},` +
    `"event_time":"${isoTime(Math.floor(row.event_time / 1000))}",` +
    `"source":{"topic":${json(row.source)},"partition":${row.partition},"offset":${row.offset},"n":${row.n}}}`;
  return { topic: "alerts", key: `${row.chain_id}:${hash}`, headers: HEADERS, value: Buffer.from(value) };
}

const orNull = (digits: string | null): string => (digits === null ? "null" : `"${digits}"`);

/** What is as it is between quotes in JSON: names and most messages, without the call of JSON.stringify (0.2 µs). */
const PLAIN = /^[ !#-[\]-~]*$/;
const json = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** Beginnings of times by their second, of which a batch has few: 0.7 µs less an alert. */
const seconds = new Map<number, string>();
const MAX_SECONDS = 1_000;

/** RFC 3339 in UTC, of ms since 1970. */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  let text = seconds.get(second);
  if (text === undefined) {
    text = new Date(second * 1000).toISOString().slice(0, -"000Z".length);
    if (seconds.size === MAX_SECONDS) seconds.clear();
    seconds.set(second, text);
  }
  return `${text}${String(ms % 1000).padStart(3, "0")}Z`;
}
