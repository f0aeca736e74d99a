import type { ApiDeps } from "../deps.ts";
import { type Cache, createCache } from "./cache.ts";
import { createMemory } from "./memory.ts";
import { createShared } from "./shared.ts";
import type { Versions } from "./versions.ts";

type Deps = Pick<ApiDeps, "redis" | "metrics"> & { readonly config: Pick<ApiDeps["config"], "cache"> };

/** The cache as it is configured. */
export function openCache({ redis, metrics, config }: Deps, versions: () => Promise<Versions>): Cache {
  const { maxBytes, ttlMs } = config.cache;
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
    versions,
    ttlMs,
    metrics,
  });
}
