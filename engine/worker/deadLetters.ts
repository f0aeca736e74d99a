import { createHash } from "node:crypto";
import type { DeadLetterRow } from "../../clickhouse/tables/deadLetters.ts";
import { frameToJson } from "../frame/frameToJson.ts";
import { frameBytes } from "../frame/readFrame.ts";
import type { Batch } from "../source/batch.ts";
import type { Decoded, DecodeFailure } from "./decode.ts";
import type { RuleFailure } from "./matches.ts";
import type { TopicRecord } from "./topicRecords.ts";

/** A larger letter goes to the topic without its bytes; they are in the table. A broker takes 1 MiB by default. */
const MAX_TOPIC_BYTES = 900 * 1024;

/** The letter for what could not be taken: its bytes as received. */
export function decodeLetter(decoded: Decoded, batch: Batch, failure: DecodeFailure): DeadLetterRow {
  const { offset, time, n, reason, detail, bytes, frame } = failure;
  const { source, partition } = batch;
  let body = new Uint8Array(0);
  if (bytes) body = new Uint8Array(batch.parts[bytes.part]!.bytes).slice(bytes.start, bytes.end);
  else if (frame !== undefined) body = new TextEncoder().encode(frameToJson(frameBytes(decoded.bytes), frame));
  return letter({ source, partition, offset, n, record_time: time, reason, detail, rule: "", bytes: body });
}

/** The letter for a transaction that a rule failed on: the transaction as JSON, whatever form it came in. */
export function failureLetter(
  decoded: Decoded,
  { rule, version, transaction, reason, detail }: RuleFailure,
): DeadLetterRow {
  return letter({
    source: decoded.source,
    partition: decoded.partition,
    offset: decoded.offsets[transaction]!,
    n: decoded.indexes[transaction]!,
    record_time: decoded.times[transaction]!,
    reason,
    detail: `rule "${rule}" version ${version}: ${detail}`,
    rule,
    bytes: new TextEncoder().encode(frameToJson(frameBytes(decoded.bytes), decoded.frames[transaction]!)),
  });
}

/** A letter of these parts, with what follows from its bytes. */
export function letter(parts: Omit<DeadLetterRow, "size" | "sha256">): DeadLetterRow {
  const sha256 = new Uint8Array(createHash("sha256").update(parts.bytes).digest());
  return { ...parts, size: parts.bytes.length, sha256 };
}

/** On the topic: the bytes as the value, everything else in headers. */
export function letterRecord(row: DeadLetterRow): TopicRecord {
  const whole = row.bytes.length <= MAX_TOPIC_BYTES;
  return {
    topic: "dead_letters",
    key: `${row.source}:${row.partition}`,
    headers: {
      "weir-source": row.source,
      "weir-partition": String(row.partition),
      "weir-offset": String(row.offset),
      "weir-n": String(row.n),
      "weir-reason": row.reason,
      // Headers are for people and tools: what a stranger's record brought into the text is kept printable.
      "weir-detail": row.detail.replace(/[^\x20-\x7e]/g, "?"),
      "weir-rule": row.rule,
      "weir-size": String(row.size),
      "weir-sha256": Buffer.from(row.sha256).toString("hex"),
      "weir-bytes": whole ? "here" : "in the table dead_letters only",
    },
    value: whole ? row.bytes : new Uint8Array(0),
  };
}
