/**
 * A prefix of a bucket as the archive's place. ClickHouse writes and reads the files itself, embedded or server; objects have no other name to be made
 * under, so a segment appears with its manifest, which is one object and stands beside those of the others:
 *
 *     <prefix><segment>/<table>.parquet       a file a table that has rows
 *     <prefix>manifests/<segment>.json        put last, removed first
 */
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { type ObjectStoreOptions, openObjects } from "../objectStore.ts";
import { quoteText } from "../quote.ts";
import { ID, type Manifest, readManifest } from "./manifest.ts";
import type { ArchivePlace } from "./place.ts";

const MANIFESTS = "manifests/";
const manifestOf = (id: string): string => `${MANIFESTS}${id}.json`;

/**
 * @param url `s3://bucket/prefix` or `gs://bucket/prefix`
 * @throws UserError for a name that no bucket has; nothing is asked before the first call
 */
export function openBucket(url: string, options: ObjectStoreOptions): ArchivePlace {
  const objects = openObjects(url, options, "archive to");
  /** They never change. */
  const known = new Map<string, Manifest>();

  async function read(id: string): Promise<Manifest> {
    const found = known.get(id);
    if (found) return found;
    const at = `${objects.name}${manifestOf(id)}`;
    const manifest = readManifest(await text(await objects.read(manifestOf(id))), at);
    if (manifest.id !== id)
      throw new Error(`Cannot read the manifest "${at}": it is of segment "${manifest.id}", expected "${id}"`);
    known.set(id, manifest);
    return manifest;
  }

  const published = async (): Promise<string[]> =>
    (await objects.list(MANIFESTS))
      .map(({ name }) => name.slice(MANIFESTS.length).replace(/\.json$/, ""))
      .filter((id) => ID.test(id));

  async function remove(id: string): Promise<void> {
    known.delete(id);
    await objects.remove([manifestOf(id)]);
    await objects.remove((await objects.list(`${id}/`)).map(({ name }) => name));
  }

  return {
    where: objects.name,
    prefix: objects.url,
    manifests: async () => Promise.all((await published()).map(read)),
    begin: async () => {},

    files(ids, file, format, structure) {
      const each = ids.length === 1 ? ids[0]! : `{${ids.join(",")}}`;
      return `s3(${objects.sql(`${each}/${file}`)}, ${[format, structure].map(quoteText).join(", ")})`;
    },

    async digest(id, file) {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of (await objects.read(`${id}/${file}`)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return { bytes, sha256: hash.digest("hex") };
    },

    publish: (manifest) =>
      objects.put(manifestOf(manifest.id), Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`), "application/json"), // biome-ignore format: one line
    explain: async (error) => error,
    remove,

    async sweep() {
      const whole = new Set(await published());
      const folders = (await objects.list("", true)).map(({ name }) => name.replace(/\/$/, ""));
      const left = folders.filter((id) => ID.test(id) && !whole.has(id));
      for (const id of left) await remove(id);
      return left;
    },
  };
}
