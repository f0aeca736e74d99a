/**
 * A prefix of a bucket (../objectStore.ts) as a place for exports. A part is uploaded when it is whole, and what makes the export whole is
 * its manifest, which comes last.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ObjectStoreOptions, openObjects } from "../objectStore.ts";
import type { Place } from "./place.ts";

/**
 * @param url `s3://bucket/prefix` or `gs://bucket/prefix`
 * @param scratch folder of this machine in which parts are made before they are uploaded
 * @throws UserError for a name that no bucket has; nothing is asked before the first call
 */
export function openBucket(url: string, options: ObjectStoreOptions, scratch: string): Place {
  const objects = openObjects(url, options, "export to");
  const [, , bucket, prefix] = /^(\w+):\/\/([^/]+)\/(.*)$/.exec(objects.name)!;
  const folder = join(
    scratch,
    createHash("sha256").update(`${objects.endpoint}\n${bucket}\n${prefix}`).digest("hex").slice(0, 16),
  );
  return {
    name: objects.name,
    staging: (dataset) => join(folder, `.weir-${dataset}`),
    async list(start) {
      const found = await objects.list(start, true);
      return found.map(({ name }) => name).filter((name) => !name.endsWith("/"));
    },
    read: async (name) => text(await objects.read(name)),
    async take({ file }, staged) {
      if (!existsSync(staged)) return; // it was uploaded before a crash
      await objects.upload(file, createReadStream(staged));
      await rm(staged);
    },
    publish: (_parts, _staging, { name, text }) => objects.put(name, Buffer.from(text), "application/json"),
  };
}
