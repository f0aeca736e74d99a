/** What a backup says of itself: `backup.json`. It is written last, so what has one is whole. */
import { z } from "zod";
import { UserError } from "../ops/errors.ts";

export const MANIFEST = "backup.json";
/** 300,000 files of parts. */
export const MAX_MANIFEST_BYTES = 64 << 20;

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Of a table or a column, as it becomes part of a statement. */
const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const migrations = z.array(z.object({ number: count, name: z.string().max(200), sha256 }));

const schema = z.object({
  version: z.literal(1),
  /** Of Weir. */
  weir: z.string().max(100),
  created_at: z.iso.datetime(),
  store: z.object({
    database: z.string().min(1).max(200),
    clickhouse: z.string().max(100),
    migrations,
    /** Rows below `positions`, by table: what is left of the tables once they are restored. */
    rows: z.record(name, count),
  }),
  /**
   * Where the backup stands: of each partition of each source, rows below `stored`. What the tables have beyond, since the engine went on
   * meanwhile, is removed when they are restored, and comes again.
   */
  positions: z.array(z.object({ source: z.string().max(1_000), partition: count, stored: count })),
  /** Sources that began while it was made: nothing of them is in it. */
  begun: z.array(z.string().max(1_000)),
  /** Sources whose ledger is on another host: all that the tables had of them is in it, and nobody knows up to where that is whole. */
  unknown: z.array(z.string().max(1_000)),
  /** Names of ledgers of recordings: files in `ledger/`. */
  ledgers: z.array(z.string().regex(/^[0-9A-Za-z._-]{1,200}\.json$/)),
  commits: z.array(
    z.object({
      group: z.string().min(1).max(255),
      topic: z.string().min(1).max(249),
      partition: count,
      offset: count,
      metadata: z.string().max(4_095),
    }),
  ),
  control: z.object({
    migrations,
    tables: z.array(
      z.object({ table: name, columns: z.array(name).min(1), rows: count, file: z.string().regex(/^control\/[a-z0-9_]+\.ndjson\.gz$/) }), // biome-ignore format: one line
    ),
    /** Last values of identity columns. */
    sequences: z.array(z.object({ table: name, column: name, last: z.string().regex(/^\d{1,19}$/) })),
    /** Ids of the keys that secrets were sealed with, which are not in the backup. */
    secret_keys: z.array(z.string().regex(/^[0-9a-f]{8}$/)),
  }),
  /** All others, by their names. */
  files: z.record(z.string().max(1_000), z.object({ bytes: count, sha256 })),
});

export type Manifest = Readonly<z.infer<typeof schema>>;

/** @throws UserError naming the first thing that is wrong */
export function readManifest(text: string, where: string): Manifest {
  const fail = (what: string): never => {
    throw new UserError(`Cannot read the backup "${where}": ${what}, expected a manifest as \`weir backup\` writes it`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(`${MANIFEST}: ${(error as Error).message}`);
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return fail(`${MANIFEST}: ${issue!.path.join(".")}: ${issue!.message}`);
}
