import { createWriteStream, rmSync, type WriteStream } from "node:fs";
import { type Duplex, Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { UserError } from "../ops/errors.ts";

export type RecordingWriter = {
  /** Resolves when the next line may be written (back-pressure of the disk). */
  write(line: object): Promise<void>;
  /** Ends the file; afterwards it is complete and readable. */
  close(): Promise<void>;
};

/**
 * Creates a recording, compressed as its name says: `.ndjson`, `.ndjson.gz` or `.ndjson.zst`.
 *
 * @param replace overwrite a file of that name
 * @param at go on with an existing file behind so many bytes, which end where a writer was closed: compressed streams may follow each other
 * @throws where the name is another, the file exists already (unless replace or at), or its folder does not
 */
export async function createRecordingWriter(
  path: string,
  { replace = false, at }: { replace?: boolean; at?: number | undefined } = {},
): Promise<RecordingWriter> {
  checkRecordingName(path);
  const file =
    at === undefined
      ? createWriteStream(path, { flags: replace ? "w" : "wx" })
      : createWriteStream(path, { flags: "r+", start: at });
  await opened(file, path);
  const compressor = await compressorFor(path).catch((error) => {
    file.destroy();
    if (!replace && at === undefined) rmSync(path); // empty, and ours
    throw error;
  });
  const entry = compressor ?? file;
  if (compressor) {
    compressor.on("error", (error) => file.destroy(error));
    file.on("error", (error) => compressor.destroy(error));
    compressor.pipe(file);
  }
  let failure: Error | null = null;
  const done = finished(file, { readable: false });
  done.catch((error: Error) => {
    failure = new Error(`Cannot write "${path}": ${error.message}, expected a disk with room`, { cause: error });
  });

  return {
    async write(line) {
      if (failure) throw failure;
      if (entry.write(`${JSON.stringify(line)}\n`)) return;
      await Promise.race([
        new Promise<void>((resolve) => entry.once("drain", () => resolve())),
        done.catch(() => undefined),
      ]);
      if (failure) throw failure;
    },
    async close() {
      entry.end();
      await done.catch(() => undefined);
      if (failure) throw failure;
    },
  };
}

/** Refuses a name that `createRecordingWriter` would refuse, before any work is done for it. */
export function checkRecordingName(path: string): void {
  if (!/\.ndjson(\.gz|\.zst)?$/.test(path)) {
    throw new UserError(
      `Cannot write "${path}": unknown kind of recording, expected a name in .ndjson, .ndjson.gz or .ndjson.zst`,
    );
  }
}

async function compressorFor(path: string): Promise<Duplex | null> {
  if (path.endsWith(".gz")) return createGzip({ level: 9 });
  if (path.endsWith(".zst")) return createZstdStream(path);
  return null;
}

/** What is used of `@hpcc-js/wasm-zstd`: libzstd as WebAssembly, because Node has no zstd of its own before 22.15. */
type Zstd = {
  reset(): void;
  setCompressionLevel(level: number): void;
  compressChunk(data: Uint8Array): Uint8Array;
  compressEnd(): Uint8Array;
};

/** Level 19 of 22: those above need windows that small readers refuse. 19 MB of mainnet: 12 s to 1.26 MB; gzip 1.68 MB. */
const ZSTD_LEVEL = 19;
/** Lines are gathered to this size first: each call into WebAssembly copies its input. */
const CHUNK_BYTES = 1 << 18;
/** The package holds one stream a process. */
let zstdInUse = false;

async function createZstdStream(path: string): Promise<Transform> {
  const zstd = await loadZstd(path);
  if (zstdInUse) {
    throw new Error(
      `Cannot write "${path}": another .zst is being written, expected one at a time; name this one .ndjson.gz`,
    );
  }
  zstdInUse = true;
  zstd.reset();
  zstd.setCompressionLevel(ZSTD_LEVEL);
  let gathered: Buffer[] = [];
  let bytes = 0;
  const flush = () => {
    const compressed = zstd.compressChunk(Buffer.concat(gathered));
    gathered = [];
    bytes = 0;
    return compressed;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      gathered.push(chunk);
      bytes += chunk.length;
      done(null, bytes >= CHUNK_BYTES ? flush() : undefined);
    },
    flush(done) {
      this.push(flush());
      done(null, zstd.compressEnd());
    },
    destroy(error, done) {
      zstdInUse = false;
      done(error);
    },
  });
}

async function loadZstd(path: string): Promise<Zstd> {
  const name: string = "@hpcc-js/wasm-zstd";
  try {
    const { Zstd } = (await import(name)) as { Zstd: { load(): Promise<Zstd> } };
    return await Zstd.load();
  } catch (error) {
    throw new Error(
      `Cannot write "${path}": the package ${name} is not installed, expected it beside the others; ` +
        "run npm install, or name the file .ndjson.gz",
      { cause: error },
    );
  }
}

async function opened(file: WriteStream, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    file.once("open", () => resolve());
    file.once("error", (error: NodeJS.ErrnoException) => {
      const exists = error.code === "EEXIST";
      const state = exists ? "the file exists already" : (error.code ?? error.message);
      const wanted = exists
        ? "a new file; choose another name or remove it"
        : "a folder that exists and can be written to";
      reject(new Error(`Cannot write "${path}": ${state}, expected ${wanted}`, { cause: error }));
    });
  });
}
