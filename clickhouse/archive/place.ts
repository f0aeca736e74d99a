/**
 * Where the archive is: a folder that the store's process reads and writes, or a bucket (bucket.ts).
 *
 *     <place>/<segment>/<table>.parquet     a file a table that has rows
 *     <place>/<segment>/manifest.json       written last
 *
 * A segment is made under a name that nobody looks at and appears all at once. What a crash leaves of one is swept by the next run.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../engine/ops/makeFolder.ts";
import { cannotWrite } from "../exports/folder.ts";
import { quoteText } from "../quote.ts";
import { type Manifest, readManifest } from "./manifest.ts";

export interface ArchivePlace {
  /** For people; without credentials. */
  readonly where: string;
  /** What the path or URL of each of its files begins with: for `Store.readingFiles`. */
  readonly prefix: string;
  /** Of all segments that are whole. */
  manifests(): Promise<Manifest[]>;
  /** Begins a segment: its files can be written. */
  begin(id: string): Promise<void>;
  /**
   * `file('…', 'Parquet', '…')` or `s3(…)`: the same file of each segment as one table.
   * @param draft while the segment is being made
   */
  files(ids: readonly string[], file: string, format: string, structure: string, draft?: boolean): string;
  /** Makes a written file durable, and reads it. */
  digest(id: string, file: string, draft?: boolean): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** The segment appears, with the manifest; all of it or nothing. */
  publish(manifest: Manifest): Promise<void>;
  /**
   * What to throw instead of an error in making a segment: that the place is full, if it is. The store's process says nothing of that, and what it
   * left can be read only as far as there was room.
   */
  explain(error: unknown): Promise<unknown>;
  /** Removes a segment, or what there is of one. */
  remove(id: string): Promise<void>;
  /** Removes what crashes have left of segments that never appeared. Only while no other process writes to the archive. */
  sweep(): Promise<string[]>;
}

const MANIFEST = "manifest.json";
const DRAFT = ".draft";
/** Bytes: less than what the store hands to the file system at a time. */
const ROOM = 1 << 20;

/** @param path absolute; made when the first segment is */
export function openFolder(path: string): ArchivePlace {
  const folderOf = (id: string, draft = false): string => join(path, draft ? `${id}${DRAFT}` : id);
  const asked = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw cannotWrite(path, error, "archive to");
    });
  /** They never change. */
  const known = new Map<string, Manifest>();

  return {
    where: path,
    prefix: `${path}/`,

    async manifests() {
      const names = await asked(readdir(path).catch(unlessMissing));
      const manifests = await Promise.all(names.map(read));
      return manifests.filter((manifest) => manifest !== undefined);
    },

    async begin(id) {
      await asked(makeFolder(folderOf(id, true), 0o700));
    },

    files(ids, file, format, structure, draft) {
      const each = ids.length === 1 ? ids[0]! : `{${ids.join(",")}}`;
      return `file(${[join(folderOf(each, draft), file), format, structure].map(quoteText).join(", ")})`;
    },

    async digest(id, file, draft) {
      const at = join(folderOf(id, draft), file);
      await sync(at);
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of createReadStream(at) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return { bytes, sha256: hash.digest("hex") };
    },

    async publish(manifest) {
      const draft = folderOf(manifest.id, true);
      await asked(writeDurably(join(draft, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`));
      await sync(draft);
      await rename(draft, folderOf(manifest.id));
      await sync(path);
    },

    async explain(error) {
      const { bavail, bsize } = await statfs(path).catch(() => ({ bavail: Infinity, bsize: 1 })); // the first error says more
      return bavail * bsize < ROOM
        ? cannotWrite(path, Object.assign(new Error("", { cause: error }), { code: "ENOSPC" }), "archive to")
        : error;
    },

    async remove(id) {
      known.delete(id);
      // First its name: what is removed half-way must not be taken for a segment.
      await rename(folderOf(id), folderOf(id, true)).catch(unlessMissing);
      await rm(folderOf(id, true), { recursive: true, force: true });
    },

    async sweep() {
      const left = (await asked(readdir(path).catch(unlessMissing))).filter((name) => name.endsWith(DRAFT));
      for (const name of left) await rm(join(path, name), { recursive: true, force: true });
      return left;
    },
  };

  async function read(name: string): Promise<Manifest | undefined> {
    if (known.has(name)) return known.get(name);
    if (name.endsWith(DRAFT)) return undefined;
    const at = join(path, name, MANIFEST);
    const text = await readFile(at, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined; // not one of ours
      throw error;
    });
    if (text === undefined) return undefined;
    const manifest = readManifest(text, at);
    if (manifest.id !== name)
      throw new Error(`Cannot read the manifest "${at}": it is of segment "${manifest.id}", expected "${name}"`);
    known.set(name, manifest);
    return manifest;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** To the disk: a file's content, or a folder's entries. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: NodeJS.ErrnoException): never[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
