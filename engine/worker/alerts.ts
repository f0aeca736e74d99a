import { hash as digest } from "node:crypto";
import type { AlertRows, SaidAlert } from "../../clickhouse/tables/alerts.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { SEVERITIES } from "../sandbox/manifest.ts";
import type { Decoded } from "./decode.ts";
import type { TopicRecord } from "./topicRecords.ts";

/** What a rule raised about a transaction of the batch. */
export interface Alert extends SaidAlert {
  /** Number of the transaction in the batch. */
  readonly transaction: number;
}

/** Alerts of a batch as rows, with what their records have of it in hexadecimal digits. */
export interface RaisedAlerts extends AlertRows {
  readonly texts: readonly AlertTexts[];
}

interface AlertTexts {
  readonly id: string;
  readonly hash: string;
  readonly blockHash: string | null;
  readonly from: string;
  readonly to: string | null;
}

/** Rows of the batch's alerts, in their order, and the ids: see idOf. */
export function alertRows(decoded: Decoded, alerts: readonly Alert[]): RaisedAlerts {
  const { source, partition, bytes, words } = decoded;
  const count = alerts.length;
  if (count === 0) return { source, partition, count, bytes, words, ...NOTHING };
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength); // one view for all: each would cost 0.1 µs
  const rows = {
    ...{ source, partition, count, bytes, words },
    frames: new Uint32Array(count),
    offsets: new Float64Array(count),
    indexes: new Uint32Array(count),
    events: new Float64Array(count),
    ids: new Uint8Array(count * ID_BYTES),
    said: alerts,
    texts: new Array<AlertTexts>(count),
  };
  for (let i = 0; i < count; i++) {
    const alert = alerts[i]!;
    const { transaction } = alert;
    const frame = decoded.frames[transaction]!;
    rows.frames[i] = frame;
    rows.offsets[i] = decoded.offsets[transaction]!;
    rows.indexes[i] = decoded.indexes[transaction]!;
    rows.events[i] = decoded.events[transaction]!;
    const digits = all.toString("hex", frame + HASHES.from, frame + HASHES.to);
    const present = words[(frame + OFFSET.present) >> 2]!;
    const hash = digitsOf(digits, OFFSET.hash, 32);
    const blockHash = present & PRESENT.blockHash ? digitsOf(digits, OFFSET.blockHash, 32) : null;
    const id = idOf(alert, chainOf(words, frame), hash, blockHash);
    for (let b = 0; b < ID_BYTES; b++)
      rows.ids[i * ID_BYTES + b] = (DIGIT[id.charCodeAt(2 * b)]! << 4) | DIGIT[id.charCodeAt(2 * b + 1)]!;
    const from = digitsOf(digits, OFFSET.from, 20);
    const to = present & PRESENT.to ? digitsOf(digits, OFFSET.to, 20) : null;
    rows.texts[i] = { id, hash, blockHash, from, to }; // two parts spread into it cost 1.8 µs an alert
  }
  return rows;
}

/** Of a batch without alerts, as most of a few transactions are: five arrays for nothing cost it 5 µs. */
const NOTHING = {
  ...{ frames: new Uint32Array(), offsets: new Float64Array(), indexes: new Uint32Array(), events: new Float64Array() },
  ...{ ids: new Uint8Array(), said: [], texts: [] },
};

/**
 * The id depends on what the alert is about and nothing else, so the alert of a replay is the same alert, while the pending sighting of a
 * transaction and its inclusion in a block are two.
 */
function idOf({ rule, version, ordinal }: Alert, chainId: number, hash: string, blockHash: string | null): string {
  const about = `${rule}\n${version}\n${chainId}\n${hash}\n${blockHash ?? "pending"}\n${ordinal}`;
  return digest("sha256", about).slice(0, 2 * ID_BYTES); // as digits it takes 0.85 µs, as a Buffer 2.4
}

const ID_BYTES = 16;
/** Values of hexadecimal digits by their character: a Buffer's own way takes 0.8 µs for an id. */
const DIGIT = Uint8Array.from({ length: 103 }, (_, code) => "0123456789abcdef".indexOf(String.fromCharCode(code)));
/** Hashes and addresses stand side by side in a frame: from the transaction's hash to its recipient they become digits at once. */
const HASHES = { from: OFFSET.hash, to: OFFSET.to + 20 } as const;

const whole = (words: Uint32Array, at: number): number => words[(at + 4) >> 2]! * 0x1_0000_0000 + words[at >> 2]!;
const chainOf = (words: Uint32Array, frame: number): number => whole(words, frame + OFFSET.chainId);
const digitsOf = (digits: string, offset: number, width: number): string =>
  `0x${digits.slice(2 * (offset - HASHES.from), 2 * (offset - HASHES.from + width))}`;

const HEADERS = { "content-type": "application/json" };

/** The alerts on their topic: JSON, keyed by chain and transaction so that all about one transaction stays in order. */
export function alertRecords(rows: RaisedAlerts): TopicRecord[] {
  const { words, frames, offsets, indexes, events, said, texts, partition } = rows;
  const place = `"source":{"topic":${json(rows.source)},"partition":${partition},"offset":`;
  return said.map(({ rule, version, severity, ordinal, message }, i) => {
    const { id, hash, blockHash, from, to } = texts[i]!;
    const frame = frames[i]!;
    const chain = chainOf(words, frame);
    const isMined = (words[(frame + OFFSET.present) >> 2]! & PRESENT.blockNumber) !== 0;
    // put together by hand: an object and its JSON cost twice as much
    const value =
      `{"id":"${id}","rule":${json(rule)},"version":${version},"severity":"${SEVERITIES[severity]}",` +
      `"ordinal":${ordinal},"message":${json(message)},"chain_id":${chain},"tx_hash":"${hash}",` +
      `"block_number":${isMined ? whole(words, frame + OFFSET.blockNumber) : null},` +
      `"block_hash":${orNull(blockHash)},"from_address":"${from}","to_address":${orNull(to)},` +
      `"event_time":"${isoTime(Math.floor(events[i]! / 1000))}",${place}${offsets[i]},"n":${indexes[i]}}}`;
    return { topic: "alerts", key: `${chain}:${hash}`, headers: HEADERS, value };
  });
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
