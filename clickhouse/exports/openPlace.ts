import { join } from "node:path";
import type { Config } from "../../engine/ops/config.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { openFolder } from "./folder.ts";
import type { Place } from "./place.ts";

/**
 * @param name a folder, `s3://bucket/prefix` or `gs://bucket/prefix`
 * @throws UserError when it cannot be written to, or is none of these
 */
export async function openPlace(name: string, config: Pick<Config, "data" | "objectStore">): Promise<Place> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return openFolder(name);
  if (!/^(s3|gs):/.test(name))
    throw new UserError(
      `Cannot export to "${name.slice(0, 1000)}": its kind is not known, expected a folder, s3://bucket/prefix or gs://bucket/prefix`,
    );
  const { openBucket } = await import("./bucket.ts"); // the client of S3 is large
  return openBucket(name, config.objectStore, join(config.data, "exports", "uploads"));
}
