import { CONTENT, type Content, NULL_VALUE } from "./content.ts";
import { copyShared } from "./copyShared.ts";
import { BAD_FRAME, EMPTY, fail, failure, NO_VALUE, TOO_LARGE } from "./decodeErrors.ts";
import { decodeJson } from "./decodeJson.ts";
import type { FrameWriter } from "./frameWriter.ts";
import { HEADER_SIZE, MAX_RECORD_BYTES, OFFSET } from "./schema.ts";
import { validateFrame } from "./validateFrame.ts";

/** Told of each transaction that can't be decoded: its number in the record, its bytes, and the code; `lastError()` says more. */
export type OnError = (n: number, start: number, end: number, code: number) => void;

/**
 * One record (of Kafka or of a recording) → its transactions: frames appended to the writer, with writer.n saying which of the
 * record each is; failures to `onError`. Returns how many there were of both; lines without anything don't count.
 *
 * A record of unknown content is packed frames if it begins with a frame's version, 01 00, which no JSON does; else one
 * transaction as JSON; if it is not that and has a line that begins with a brace behind another line, it is NDJSON.
 *
 * `end − start` may be NULL_VALUE, the batch's mark of a record without a value.
 */
export function decodeRecord(
  source: Uint8Array,
  start: number,
  end: number,
  content: Content,
  writer: FrameWriter,
  onError: OnError,
): number {
  if (end - start === NULL_VALUE) return reject(source, start, start, NO_VALUE, 0, onError);
  if (start === end) return reject(source, start, end, EMPTY, 0, onError);
  if (end - start > MAX_RECORD_BYTES) return reject(source, start, end, TOO_LARGE, 0, onError);
  if (content === CONTENT.frames) return decodeFrames(source, start, end, writer, onError);
  if (content === CONTENT.ndjson) return decodeLines(source, start, end, writer, onError);
  const isUnknown = content !== CONTENT.json;
  if (isUnknown && source[start] === 1 && source[start + 1] === 0)
    return decodeFrames(source, start, end, writer, onError);
  const code = decodeJson(source, start, end, writer, 0);
  if (code === 0) return 1;
  if (isUnknown && hasLines(source, start, end)) return decodeLines(source, start, end, writer, onError);
  onError(0, start, end, code);
  return 1;
}

function reject(source: Uint8Array, start: number, end: number, code: number, n: number, onError: OnError): number {
  failure.source = source;
  failure.start = start;
  failure.end = end;
  fail(code, start);
  onError(n, start, end, code);
  return 1;
}

function hasLines(source: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p + 1 < end; p++) if (source[p] === 0x0a && source[p + 1] === 0x7b) return true;
  return false;
}

function decodeLines(source: Uint8Array, start: number, end: number, writer: FrameWriter, onError: OnError): number {
  const record = source.subarray(start, end); // so that the search for a newline ends with the record
  let n = 0;
  for (let from = 0; from < record.length; ) {
    const newline = record.indexOf(0x0a, from);
    const to = newline < 0 ? record.length : newline;
    if (!isBlank(record, from, to)) {
      const code = decodeJson(source, start + from, start + to, writer, n);
      if (code !== 0) onError(n, start + from, start + to, code);
      n++;
    }
    from = to + 1;
  }
  return n > 0 ? n : reject(source, start, end, EMPTY, 0, onError);
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  while (from < to && (bytes[from] === 0x20 || bytes[from] === 0x09 || bytes[from] === 0x0d)) from++;
  return from === to;
}

/** Frames are copied to the writer, all at once, where they are aligned, and checked there. */
function decodeFrames(source: Uint8Array, start: number, end: number, writer: FrameWriter, onError: OnError): number {
  writer.reserve(writer.end, end - start);
  copyShared(source, start, end, writer.bytes, writer.end);
  let n = 0;
  for (let from = start; from < end; n++) {
    const at = writer.end;
    const left = end - from;
    const length = statedSize(writer.u32, at, left) || left; // with no size that can be, all the rest is one failure
    const size = validateFrame(writer, at, length);
    if (size > 0) writer.commit(size, n);
    else {
      failure.source = source;
      failure.start = from;
      failure.end = from + length;
      fail(BAD_FRAME, from + failure.at - at, failure.field);
      onError(n, from, from + length, BAD_FRAME);
      writer.bytes.copyWithin(at, at + length, at + left);
    }
    from += length;
  }
  return n;
}

/** What the frame says its size is, 0 if that can't be. */
function statedSize(u32: Uint32Array, frame: number, available: number): number {
  if (available < HEADER_SIZE) return 0;
  const size = u32[(frame + OFFSET.size) >> 2]!;
  return size >= HEADER_SIZE && size % 8 === 0 && size <= available ? size : 0;
}
