/**
 * Where a backup is: a folder of this host, or a prefix of a bucket. ClickHouse writes its part itself, beside ours:
 *
 *     <place>/store/…                    as BACKUP DATABASE writes it
 *     <place>/control/<table>.ndjson.gz  rows of the control store, a JSON object a line
 *     <place>/ledger/<name>.json         ledgers of recordings, as they were
 *     <place>/backup.json                written last: what has it is a whole backup
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Store } from "../../clickhouse/client.ts";
import { wholeWrites } from "../../clickhouse/embedded/wholeWrites.ts";
import { type ObjectStoreOptions, openObjects } from "../../clickhouse/objectStore.ts";
import { quoteText } from "../../clickhouse/quote.ts";
import type { Config } from "../ops/config.ts";
import { isBucket } from "../ops/configTypes.ts";
import { UserError } from "../ops/errors.ts";
import { makeFolder } from "../ops/makeFolder.ts";
import { MANIFEST, MAX_MANIFEST_BYTES } from "./manifest.ts";

export interface FileFacts {
  readonly bytes: number;
  /** hex */
  readonly sha256: string;
}

export interface BackupPlace {
  /** For people. */
  readonly where: string;
  readonly secrets: readonly string[];
  /** As ClickHouse is told of its part, behind TO and FROM. @param draft while it is being made */
  store(draft: boolean): string;
  /** Does what has ClickHouse write its part. @throws UserError when not all of it was taken, which the embedded store does not say */
  storing(store: Store, work: () => Promise<void>): Promise<void>;
  /** Makes it ready to be written to. @throws UserError when there is something already, or it cannot be written to */
  begin(): Promise<void>;
  /** Removes ClickHouse's part of the draft. */
  dropStore(): Promise<void>;
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<FileFacts>;
  /** All files of the draft. */
  written(): Promise<string[]>;
  /** Reads a file. @param draft as above */
  facts(name: string, draft: boolean): Promise<FileFacts>;
  read(name: string): Promise<Readable>;
  /** The backup appears, with its manifest; all of it or nothing. */
  publish(manifest: string): Promise<void>;
  /** Text of the manifest. @throws UserError when there is none: then there is no backup */
  manifest(): Promise<string>;
}

/**
 * @param to a path, `s3://bucket/prefix` or `gs://bucket/prefix`
 * @throws UserError for another kind, a folder beside a ClickHouse server, and a cluster of them
 */
export function openBackupPlace(
  to: string,
  { objectStore, store }: Pick<Config, "objectStore" | "store">,
): BackupPlace {
  if (store.cluster !== undefined)
    throw new UserError(
      `Cannot back up or restore the cluster "${store.cluster}": its tables are on several servers, expected one (CLICKHOUSE_CLUSTER unset)`,
      { next: "Use ClickHouse's own BACKUP … ON CLUSTER" },
    );
  return isBucket(to) ? inBucket(to, objectStore) : inFolder(to, store.url === undefined ? "embedded" : "server");
}

function inFolder(to: string, storeKind: "embedded" | "server"): BackupPlace {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to))
    throw new UserError(
      `Cannot use "${to.slice(0, 1_000)}" for backups: its kind is not known, expected a folder, s3://bucket/prefix or gs://bucket/prefix`,
    );
  if (storeKind === "server")
    throw new UserError(
      `Cannot use "${to.slice(0, 1_000)}" for backups: the ClickHouse server does not see folders of this host, expected s3://bucket/prefix or gs://bucket/prefix`,
    );
  const path = resolve(to);
  const draft = `${path}.unfinished`;
  const inside = (name: string, unfinished: boolean): string => join(unfinished ? draft : path, name);
  const refused = (error: Error): never => {
    throw cannotUse(path, error);
  };

  return {
    where: path,
    secrets: [],
    store: (unfinished) => `File(${quoteText(inside("store", unfinished))})`,
    storing: (store, work) =>
      wholeWrites(store, inside("store", true), work).catch((error: Error) => {
        throw "code" in error && typeof error.code === "string" ? cannotUse(path, error) : error;
      }),

    async begin() {
      const there = await readdir(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw cannotUse(path, error);
      });
      if (there.length > 0)
        throw new UserError(
          `Cannot back up to "${path}": it has ${there.length} files, expected an empty folder or none`,
          { next: "Give each backup a folder of its own" },
        );
      await rm(draft, { recursive: true, force: true }); // what a crash has left
      await makeFolder(draft, 0o700).catch((error: Error) => {
        throw cannotUse(path, error);
      });
    },

    dropStore: () => rm(inside("store", true), { recursive: true, force: true }),

    async write(name, content) {
      const at = inside(name, true);
      await makeFolder(dirname(at), 0o700);
      const file = await open(at, "wx", 0o600);
      try {
        const facts = await pass(content, async (stream) => {
          for await (const chunk of stream) await file.write(chunk as Uint8Array).catch(refused);
        });
        await file.sync().catch(refused);
        return facts;
      } finally {
        await file.close();
      }
    },

    async written() {
      const all = await readdir(draft, { recursive: true, withFileTypes: true });
      return all
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(draft.length + 1))
        .sort();
    },

    async facts(name, unfinished) {
      return factsOf(createReadStream(inside(name, unfinished)));
    },
    read: async (name) => createReadStream(inside(name, false)),

    async publish(manifest) {
      await this.write(MANIFEST, bytesOf(manifest));
      await rename(draft, path); // an empty folder makes way
      const parent = await open(dirname(path), "r");
      await parent.sync().finally(() => parent.close());
    },

    async manifest() {
      const at = inside(MANIFEST, false);
      const size = await stat(at).catch((error: NodeJS.ErrnoException) => {
        throw noBackup(path, error.code === "ENOENT" ? `there is no ${MANIFEST}` : error.message);
      });
      if (size.size > MAX_MANIFEST_BYTES) throw noBackup(path, `${MANIFEST} has ${size.size} bytes`);
      return textOf(createReadStream(at));
    },
  };
}

function inBucket(to: string, options: ObjectStoreOptions): BackupPlace {
  const objects = openObjects(to, options, "back up to");
  return {
    where: objects.name,
    secrets: objects.secrets,
    store: () => `S3(${objects.sql("store")})`,
    storing: (_store, work) => work(),

    async begin() {
      const there = await objects.list();
      if (there.length > 0)
        throw new UserError(
          `Cannot back up to "${objects.name}": it has ${there.length} objects, expected none below this prefix`,
          { next: "Give each backup a prefix of its own; objects without a backup.json are what an interrupted one has left" },
        ); // biome-ignore format: one line
    },
    dropStore: async () => objects.remove((await objects.list("store/")).map(({ name }) => name)),
    write: (name, content) => pass(content, (stream) => objects.upload(name, stream)),
    written: async () => (await objects.list()).map(({ name }) => name).sort(),
    facts: async (name) => factsOf(await objects.read(name)),
    read: (name) => objects.read(name),
    publish: (manifest) => objects.put(MANIFEST, Buffer.from(manifest), "application/json"),
    async manifest() {
      const [found] = (await objects.list(MANIFEST)).filter(({ name }) => name === MANIFEST);
      if (found === undefined) throw noBackup(objects.name, `there is no ${MANIFEST}`);
      if (found.bytes > MAX_MANIFEST_BYTES) throw noBackup(objects.name, `${MANIFEST} has ${found.bytes} bytes`);
      return textOf(await objects.read(MANIFEST));
    },
  };
}

const noBackup = (where: string, why: string): UserError =>
  new UserError(`Cannot read the backup "${where}": ${why}, expected a backup that was made to its end`);

/** What the file system says, as the user's matter. */
function cannotUse(path: string, error: Error): UserError {
  if (/ENOSPC|EDQUOT|EIO/.test((error as NodeJS.ErrnoException).code ?? ""))
    return new UserError(`Cannot back up to "${path}": the disk does not take all of it, expected room for the files`, {
      next: "Make room and run it again: it begins anew",
      cause: error,
    });
  return new UserError(`Cannot back up to "${path}": ${error.message}, expected a folder that we may write to`, {
    next: "Choose another folder, or change its rights",
    cause: error,
  });
}

/** Hands content on while it is counted and hashed. */
async function pass(content: AsyncIterable<Uint8Array>, to: (stream: Readable) => Promise<void>): Promise<FileFacts> {
  const hash = createHash("sha256");
  let bytes = 0;
  const through = new PassThrough();
  const counted = async function* () {
    for await (const chunk of content) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  await Promise.all([pipeline(Readable.from(counted(), { objectMode: false }), through), to(through)]);
  return { bytes, sha256: hash.digest("hex") };
}

async function factsOf(stream: Readable): Promise<FileFacts> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

export async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
