/**
 * Recordings: files with one transaction a line (`.ndjson`, also `.gz` and `.zst`), read as a stream of one partition whose
 * offsets are line numbers from 0. A file is known by the sha256 of its bytes, so it is stored once whatever it is called.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type Readable, Transform, type TransformCallback } from "node:stream";
import { createGunzip } from "node:zlib";
import { Decompress } from "fzstd";
import { CONTENT } from "../frame/content.ts";
import { MAX_RECORD_BYTES } from "../frame/schema.ts";
import { UserError } from "../ops/errors.ts";
import { recordsOf, type SourceRecord } from "./records.ts";
import type { Source } from "./source.ts";

export interface Recording {
  readonly path: string;
  readonly sha256: string;
  /** The offset after the last line that is not blank. */
  readonly lines: number;
}

/** Bytes unpacked at once: each chunk is a round through the thread pool. */
const CHUNK_BYTES = 256 << 10;
/** Lines delivered at once. */
const CHUNK_LINES = 1_024;
/** What is kept of a longer line: it is over the limit of a record either way, and becomes a dead letter. */
const MAX_LINE_BYTES = 2 * MAX_RECORD_BYTES;

/** Reads the file once: its hash, and how many lines it has. @throws UserError when it cannot be read */
export async function inspectRecording(path: string): Promise<Recording> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `Cannot read the recording "${path}": ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
    );
  });
  if (!found.isFile()) throw new UserError(`Cannot read the recording "${path}": it is not a file`);
  const hash = createHash("sha256");
  const file = createReadStream(path);
  file.on("data", (chunk) => hash.update(chunk));
  let lines = 0;
  let offset = 0;
  for await (const line of readLines(path, file)) {
    offset++;
    if (!isBlank(line)) lines = offset;
  }
  return { path, sha256: hash.digest("hex"), lines };
}

const transactionLine = (line: Uint8Array): Omit<SourceRecord, "offset"> => ({
  time: 0,
  content: CONTENT.json,
  value: line,
});

/**
 * Delivers a recording's lines from the position of the ledger on. Blank lines are counted, not delivered.
 * @param read what a line holds; default: a transaction as JSON
 */
export function createRecordingSource(
  recording: Pick<Recording, "path">,
  name: string,
  read: (line: Uint8Array) => Omit<SourceRecord, "offset"> = transactionLine,
): Source {
  let paused = false;
  let resume: () => void = () => {};

  return {
    name,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      resume();
    },
    async run(events, signal) {
      signal.addEventListener("abort", () => resume(), { once: true });
      const starts = await events.assign([0]);
      const start = starts.get(0) ?? 0;
      let records: SourceRecord[] = [];
      let offset = 0;
      const deliver = async (): Promise<void> => {
        events.records(0, recordsOf(records));
        records = [];
        // The rest of the engine runs on this thread, too.
        await new Promise(setImmediate);
        while (paused && !signal.aborted) {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      };
      for await (const line of readLines(recording.path)) {
        if (signal.aborted) return;
        if (offset >= start && !isBlank(line)) records.push({ offset, ...read(line) });
        offset++;
        if (records.length === CHUNK_LINES) await deliver();
      }
      if (records.length > 0) await deliver();
    },
  };
}

const isBlank = (line: Uint8Array): boolean => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);

function decompress(path: string, file: Readable): Readable {
  const through = path.endsWith(".gz")
    ? createGunzip({ chunkSize: CHUNK_BYTES })
    : path.endsWith(".zst")
      ? createZstdDecoder()
      : undefined;
  if (!through) return file;
  file.on("error", (error) => through.destroy(error));
  return file.pipe(through);
}

/** Node 20 has no zstd of its own. */
function createZstdDecoder(): Transform {
  const decoder: Transform = new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      try {
        decompressor.push(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    /** Told of the end, it complains of a frame that is not whole: a file cut short must not pass for a shorter recording. */
    flush(done: TransformCallback) {
      try {
        decompressor.push(new Uint8Array(0), true);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const decompressor = new Decompress((chunk) => decoder.push(Buffer.from(chunk)));
  return decoder;
}

/** Lines without their line feeds; the last may lack one. A line over the limit is cut there. @throws UserError for a broken file */
export async function* readLines(path: string, file: Readable = createReadStream(path)): AsyncGenerator<Buffer> {
  try {
    yield* splitLines(decompress(path, file));
  } catch (error) {
    throw new UserError(`Cannot read the recording "${path}": ${(error as Error).message}`);
  }
}

/** The same of any stream of bytes, whose errors it throws on. */
export async function* splitLines(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const hold = (part: Buffer): void => {
    const kept = part.subarray(0, Math.max(0, MAX_LINE_BYTES - heldBytes));
    if (kept.length > 0) held.push(kept);
    heldBytes += kept.length;
  };
  const release = (): Buffer => {
    const line = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return line;
  };
  let pending = false;
  for await (const chunk of file) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      hold(chunk.subarray(start, end));
      yield release();
      start = end + 1;
    }
    pending = start < chunk.length || (pending && start === 0);
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  if (pending) yield release();
}
