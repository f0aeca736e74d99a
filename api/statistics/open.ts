import { createVersions, readTableVersions, type VersionOptions, type Versions } from "../cache/versions.ts";
import type { ApiDeps } from "../deps.ts";
import { createStatistics, type Statistics } from "./statistics.ts";

type Deps = Pick<ApiDeps, "store"> & Pick<VersionOptions, "control"> & { readonly config: { readonly cache: { readonly freshMs: number } } }; // biome-ignore format: one line

/** Of several servers one is asked for versions: what was written to others is seen when this time is up. */
const MAX_AGE_MS = 10_000;

/** Statistics, and the versions that they and kept answers are of: new ones are told once the open hours are computed as of them. */
export function openStatistics({ store, control, config }: Deps): {
  readonly versions: () => Promise<Versions>;
  readonly statistics: Statistics;
} {
  const now = () => performance.now();
  const prepare = (versions: Versions): Promise<void> => statistics.prepare(versions);
  const versions = createVersions({ store, ...(control && { control }), freshMs: config.cache.freshMs, now, prepare });
  const maxAgeMs = store.kind === "embedded" ? Number.POSITIVE_INFINITY : MAX_AGE_MS;
  const versionsNow = () => readTableVersions(store);
  const statistics = createStatistics(store, { versions, versionsNow, now, maxAgeMs });
  return { versions, statistics };
}
