import { createVersions, readTableVersions, type VersionOptions, type Versions } from "../cache/versions.ts";
import type { ApiDeps } from "../deps.ts";
import { createStatistics, type Statistics } from "./statistics.ts";

type Deps = Pick<ApiDeps, "store"> & Pick<VersionOptions, "control"> & { readonly config: { readonly cache: { readonly freshMs: number } } }; // biome-ignore format: one line

/** Statistics, and the versions that they and kept answers are of: new ones are told once the open hours are computed as of them. */
export function openStatistics({ store, control, config }: Deps): {
  readonly versions: () => Promise<Versions>;
  readonly statistics: Statistics;
} {
  const now = () => performance.now();
  const prepare = (versions: Versions): Promise<void> => statistics.prepare(versions);
  const versions = createVersions({ store, ...(control && { control }), freshMs: config.cache.freshMs, now, prepare });
  const versionsNow = () => readTableVersions(store);
  const statistics = createStatistics(store, { versions, versionsNow, now });
  return { versions, statistics };
}
