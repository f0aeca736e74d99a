/** The archive and the retention as they are configured. */
import { ARCHIVED_TABLES } from "../../clickhouse/archive/columns.ts";
import { type ArchivePlace, openFolder } from "../../clickhouse/archive/place.ts";
import type { Encoding } from "../../clickhouse/archive/segmentFile.ts";
import type { Store } from "../../clickhouse/client.ts";
import { type Config, ConfigError } from "../ops/config.ts";
import { isBucket } from "../ops/configTypes.ts";

export interface Archive {
  readonly place: ArchivePlace;
  readonly encoding: Encoding;
}

/**
 * undefined: nothing is archived.
 * @throws ConfigError for a folder beside a ClickHouse server, which reads and writes the files itself and does not see ours; UserError for a
 *   name that no bucket has
 */
export async function configuredArchive(
  { archive, objectStore }: Config,
  { kind }: Pick<Store, "kind">,
): Promise<Archive | undefined> {
  const { place, format, compression, batch } = archive;
  if (place === undefined) return undefined;
  const encoding = { format, compression, batch };
  if (isBucket(place)) {
    const { openBucket } = await import("../../clickhouse/archive/bucket.ts"); // the client of S3 is large
    return { place: openBucket(place, objectStore), encoding };
  }
  if (kind === "server")
    throw new ConfigError([
      {
        variable: "WEIR_ARCHIVE",
        value: place,
        problem: "a ClickHouse server does not see folders of this host",
        expected: "s3://bucket/prefix or gs://bucket/prefix, or the embedded store (CLICKHOUSE_URL unset)",
      },
    ]);
  return { place: openFolder(place), encoding };
}

/** @throws ConfigError when there is no archive */
export async function requiredArchive(config: Config, store: Pick<Store, "kind">): Promise<Archive> {
  const archive = await configuredArchive(config, store);
  if (archive) return archive;
  throw new ConfigError([
    {
      variable: "WEIR_ARCHIVE",
      problem: "it is not set",
      expected: "the folder or bucket that the archive is in, or is to be in",
    },
  ]);
}

const DAY_MS = 86_400_000;

/** Rows of which table before which time are to go. @throws ConfigError for a table that there is not */
export function retentionBefore({ archive: { retentionDays } }: Config, now: Date): Map<string, Date> {
  const { "*": others, ...named } = retentionDays ?? {};
  for (const table of Object.keys(named))
    if (!ARCHIVED_TABLES.includes(table))
      throw new ConfigError([
        {
          variable: "WEIR_RETENTION_DAYS",
          value: table,
          problem: "there is no such table that retention could be about",
          expected: `one of ${ARCHIVED_TABLES.join(", ")}, or *`,
        },
      ]);
  return new Map(
    ARCHIVED_TABLES.flatMap((table) => {
      const days = named[table] ?? others;
      return days === undefined ? [] : [[table, new Date(now.getTime() - days * DAY_MS)] as const];
    }),
  );
}
