import type { ApiDeps } from "../deps.ts";
import { type Cache, createCache } from "./cache.ts";
import { createMemory } from "./memory.ts";
import { createShared } from "./shared.ts";
import { createVersions } from "./versions.ts";

type Deps = Pick<ApiDeps, "store" | "control" | "redis" | "metrics"> & { readonly config: Pick<ApiDeps["config"], "cache"> }; // biome-ignore format: one line

/** The cache as it is configured. */
export function openCache({ store, control, redis, metrics, config }: Deps): Cache {
  const { maxBytes, ttlMs, freshMs } = config.cache;
  const now = () => performance.now();
  return createCache({
    memory: createMemory({
      maxBytes,
      now,
      onChange({ bytes, entries, evicted }) {
        metrics.cacheBytes.set(bytes);
        metrics.cacheEntries.set(entries);
        metrics.cacheEvictions.inc(evicted);
      },
    }),
    shared: redis && createShared(redis),
    versions: createVersions({ store, control, freshMs, now }),
    ttlMs,
    metrics,
  });
}
