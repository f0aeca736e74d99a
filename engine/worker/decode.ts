import { type Content, NULL_VALUE } from "../frame/content.ts";
import { reasonOf } from "../frame/decodeErrors.ts";
import { createFlatDecoder } from "../frame/decodeFlat.ts";
import { decodeRecord } from "../frame/decodeRecord.ts";
import { lastError } from "../frame/describeError.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import { type Batch, tableOf } from "../source/batch.ts";
import type { World } from "../world/world.ts";

/** A batch as frames, with what is known of each transaction's place and time. Valid until the next batch is decoded. */
export interface Decoded {
  readonly source: string;
  readonly partition: number;
  /** First offset of the batch. */
  readonly from: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Byte offset of each frame. */
  readonly frames: Uint32Array;
  /** The same for rules that ask for facts: of a transaction that has some, a copy with these behind it. Default: frames. */
  readonly shown?: Uint32Array;
  /** Offset of the record, broker's time in ms, and index within the record, of each transaction. */
  readonly offsets: Float64Array;
  readonly times: Float64Array;
  readonly indexes: Uint32Array;
  /** event_time in µs. */
  readonly events: Float64Array;
  readonly failures: readonly DecodeFailure[];
}

/** A transaction that could not be taken: where it stands, which bytes, and why. */
export interface DecodeFailure {
  readonly offset: number;
  readonly time: number;
  readonly n: number;
  /** Its bytes within a part of the batch, as received; for a transaction that was decoded and then refused, its frame. */
  readonly bytes?: { readonly part: number; readonly start: number; readonly end: number };
  readonly frame?: number;
  readonly reason: string;
  readonly detail: string;
}

/** Where roll-ups keep minutes: seconds as u32 end in 2106, and what claims to be later counts there. */
const LAST_EVENT_US = (2 ** 32 - 1) * 1e6;

/** Makes frames of batches, reusing one buffer: the outcome of a batch is complete before the next begins. */
export function createDecoder(world: Pick<World, "chains">): (batch: Batch) => Decoded {
  const writer = createFrameWriter();
  const flat = createFlatDecoder();
  const chains = new Set(world.chains);

  return ({ source, partition, from, count: records, parts }) => {
    const tables = parts.map(tableOf);
    const failures: DecodeFailure[] = [];
    let part = 0;
    let offset = 0;
    let time = 0;
    const onError = (n: number, start: number, end: number, code: number): void => {
      const bytes = { part, start, end };
      failures.push({ offset, time, n, bytes, reason: reasonOf(code), detail: lastError().message });
    };
    writer.reset();
    /** Number of the first transaction of each record, of all parts. */
    const firsts = new Uint32Array(records + 1);
    let record = 0;
    for (part = 0; part < tables.length; part++) {
      const { count, bytes, f64, u32 } = tables[part];
      flat.begin(tables[part]);
      for (let i = 0; i < count; i++) {
        const first = writer.count;
        const taken = flat.take(i, writer);
        if (taken > 0) {
          for (let k = 0; k < taken; k++) firsts[record++] = first + k;
          i += taken - 1;
          continue;
        }
        offset = f64[i * 4];
        time = f64[i * 4 + 1];
        const start = u32[i * 8 + 4];
        const length = u32[i * 8 + 5];
        firsts[record++] = writer.count;
        if (length === NULL_VALUE) failures.push({ offset, time, n: 0, ...NO_VALUE });
        else decodeRecord(bytes, start, start + length, u32[i * 8 + 6] as Content, writer, onError);
      }
    }
    firsts[records] = writer.count;

    const { u32: words, offsets: frames, n: indexes } = writer;
    const offsets = new Float64Array(writer.count);
    const times = new Float64Array(writer.count);
    const events = new Float64Array(writer.count);
    let kept = 0;
    record = 0;
    for (const { count, f64 } of tables) {
      for (let i = 0; i < count; i++, record++) {
        for (let t = firsts[record]; t < firsts[record + 1]; t++) {
          const at = frames[t] >> 2;
          const chain = u64(words, at + (OFFSET.chainId >> 2));
          if (!chains.has(chain)) {
            failures.push({
              ...unknownChain(chain, frames[t]),
              offset: f64[i * 4],
              time: f64[i * 4 + 1],
              n: indexes[t],
            });
            continue;
          }
          frames[kept] = frames[t];
          indexes[kept] = indexes[t];
          offsets[kept] = f64[i * 4];
          times[kept] = f64[i * 4 + 1];
          events[kept] = eventTime(words, at, times[kept]);
          kept++;
        }
      }
    }
    return {
      source,
      partition,
      from,
      count: kept,
      bytes: writer.bytes,
      words,
      frames,
      offsets,
      times,
      indexes,
      events,
      failures,
    };
  };
}

const NO_VALUE = { reason: "no_value", detail: "Cannot decode the record: it has no value, expected a transaction" };

const unknownChain = (chain: number, frame: number) => ({
  frame,
  reason: "unknown_chain",
  detail: `Cannot take a transaction of chain "${chain}": it is not configured, expected one of WEIR_CHAINS`,
});

/** When it was seen, else when its block was made, else when the broker got it; in µs. @param at the frame's first word */
export function eventTime(words: Uint32Array, at: number, recordTime: number): number {
  const present = words[at + (OFFSET.present >> 2)];
  let us = recordTime * 1000;
  if (present & PRESENT.seenAt) us = u64(words, at + (OFFSET.seenAt >> 2));
  else if (present & PRESENT.blockTimestamp) us = u64(words, at + (OFFSET.blockTimestamp >> 2)) * 1e6;
  return Math.min(us, LAST_EVENT_US);
}

const u64 = (words: Uint32Array, at: number): number => words[at + 1] * 0x1_0000_0000 + words[at];
