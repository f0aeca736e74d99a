/** Every table with random rows of every type goes into the archive, out of the store and back, in every format. */
import { spawnSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { UserError, WeirError } from "../../engine/ops/errors.ts";
import type { StoredTo } from "../../engine/sink/ledgers.ts";
import { mendRollUps } from "../../engine/sink/rollUps.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { startS3 } from "../../test/support/s3Server.ts";
import { openStore, type Store } from "../client.ts";
import { readAddress } from "../embedded/lockFile.ts";
import { type ObjectStoreOptions, openObjects } from "../objectStore.ts";
import { quoteText } from "../quote.ts";
import { openBucket } from "./bucket.ts";
import { cleanStore } from "./clean.ts";
import { ARCHIVED_TABLES, checksum, microsOf, readColumns, type TableColumns } from "./columns.ts";
import { effective, type Manifest } from "./manifest.ts";
import { type ArchivePlace, openFolder } from "./place.ts";
import { createArchiveReader } from "./reader.ts";
import { giveUp, restoreSegments } from "./restore.ts";
import { archivedRows, checkSegmentFile, type Encoding } from "./segmentFile.ts";
import { writeArchive } from "./write.ts";

const PARQUET: Encoding = { format: "parquet", compression: "gzip", batch: 100 };
const JSON_LINES: Encoding = { format: "json", compression: "gzip", batch: 100 };
const ROWS = 240;
/** Two partitions, of which one is stored to its end; what is above belongs to an open range. */
const POSITIONS: StoredTo[] = [
  { source: "tx_raw", partition: 0, stored: 100 },
  { source: "tx_raw", partition: 1, stored: 80 },
];
const STORED = "(partition = 0 AND offset < 100 OR partition = 1 AND offset < 80)";

let home: TemporaryStore;
let store: Store;
let columns: ReadonlyMap<string, TableColumns>;
let folder: string;
let place: ArchivePlace;

beforeAll(async () => {
  home = await temporaryStore();
  ({ store } = home);
  columns = await readColumns(store);
});
afterAll(() => home?.remove());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-archive-"));
  place = openFolder(folder);
  return () => rm(folder, { recursive: true, force: true });
});

const OTHERS = ["transactions_per_minute", "alerts_per_minute", "cleaned_minutes", "restored_segments"];
/** Where the store changes with each test, tables of each kind of time and identity are enough. */
const SOME = ["transactions", "alerts", "dead_letters", "swaps"];
async function fillAgain(tables: readonly string[]): Promise<void> {
  for (const table of [...tables, ...OTHERS]) await store.command(`TRUNCATE TABLE ${table}`);
  for (const table of tables) await fill(table);
}

/** Rows of two partitions with offsets from 0 to 119 each; times from 1970 to as far as a column goes. */
async function fill(table: string): Promise<void> {
  const all = columns.get(table)!;
  const structure = all.map(([name, type]) => `\`${name}\` ${type}`).join(", ");
  const placed: Record<string, string> = {
    source: "'tx_raw'",
    partition: "rowNumberInAllBlocks() % 2",
    offset: "intDiv(rowNumberInAllBlocks(), 2)",
    event_time: "reinterpret(toInt64(rowNumberInAllBlocks() * 60000000), 'DateTime64(6, \\'UTC\\')')",
    record_time: "reinterpret(toInt64(rowNumberInAllBlocks() * 60000), 'DateTime64(3, \\'UTC\\')')",
    chain_id: "1 + rowNumberInAllBlocks() % 3",
  };
  if (all.some(([name, type]) => name === "block_timestamp" && type.startsWith("Nullable")))
    placed.block_timestamp =
      "if(rowNumberInAllBlocks() % 3 = 0, NULL, reinterpret(if(rowNumberInAllBlocks() % 3 = 1, 9223372036854775807, 1700000000)::Int64, 'DateTime64(0, \\'UTC\\')'))";
  for (const [name, type] of all) // of a NaN text has no bits
    if (type === "Nullable(Float64)") placed[name] = `multiIf(isNaN(\`${name}\`), nan, offset = 5, -inf, \`${name}\`)`;
  const values = all.map(([name]) => `${placed[name] ?? `\`${name}\``} AS \`${name}\``);
  await store.command(
    `INSERT INTO ${table} SELECT ${values.join(", ")} FROM (SELECT * FROM generateRandom(${quoteText(structure)}, 7, 40, 3) LIMIT ${ROWS})`,
  );
}

const archive = (encoding = PARQUET, positions = POSITIONS): Promise<Manifest[]> =>
  writeArchive({ store, place, encoding, positions, now: () => new Date() });
const clean = (minute: number, on = true) =>
  cleanStore({
    store,
    archive: on ? { place, encoding: PARQUET } : undefined,
    positions: POSITIONS,
    before: new Map(ARCHIVED_TABLES.map((table) => [table, new Date(minute * 60_000)])),
    now: () => new Date(),
  });
/** Count and checksum of each table, or of what stands for it. */
async function contents(
  where = "1",
  from = (table: string): string => table,
  tables: Iterable<string> = columns.keys(),
): Promise<Record<string, string>> {
  const each: Record<string, string> = {};
  for (const table of tables) {
    const ofTable = columns.get(table)!;
    const [row] = await store
      .readingFiles(place.prefix)
      .rows<{ is: string }>(
        `SELECT concat(toString(count()), ' ', ${checksum(ofTable)}) AS is FROM ${from(table)} WHERE ${where}`,
      );
    each[table] = row!.is;
  }
  return each;
}
const rollUps = () =>
  store.rows(
    "SELECT source, partition, minute, sum(transactions) AS n FROM transactions_per_minute GROUP BY ALL ORDER BY ALL",
  );

describe("what does not change the store", () => {
  beforeAll(() => fillAgain(ARCHIVED_TABLES));

  test.each([PARQUET, JSON_LINES])(
    "$format holds every stored row of every table exactly, and nothing of what is not stored yet",
    async (encoding) => {
      const [segment] = await archive(encoding);
      expect(Object.keys(segment!.tables).sort()).toEqual([...ARCHIVED_TABLES].sort());
      expect(segment).toMatchObject({ chains: ["1", "2", "3"], late: false, source: "tx_raw" });
      const archived = (table: string) => archivedRows(place, [segment!], table, columns.get(table)!);
      expect(await contents("1", archived)).toEqual(await contents(STORED));
      expect(segment!.tables.transactions!.rows).toBe(180);
      for (const file of Object.values(segment!.tables))
        expect(await checkSegmentFile(store, place, segment!, file)).toBeUndefined();
    },
  );

  test("JSON is JSON: one object a line, with bytes in hex and times in numbers", async () => {
    const [segment] = await archive(JSON_LINES);
    const { file, rows } = segment!.tables.transactions!;
    const lines = gunzipSync(await readFile(join(folder, segment!.id, file))).toString().trim().split("\n"); // biome-ignore format: one chain
    expect(lines).toHaveLength(rows);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        event_time: expect.stringMatching(/^\d+$/),
      });
  });

  test("a folder that cannot be made is an error that says why, and what to do", async () => {
    await writeFile(join(folder, "taken"), "");
    for (const path of ["taken", "taken/below"]) {
      place = openFolder(join(folder, path));
      const error = await archive().catch((error: Error) => error);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toMatch(/^Cannot archive to ".*taken.*": .* is a file, expected a folder$/);
    }
  });

  describe("a disk that is full", () => {
    let small: string;
    let mounted: ReturnType<typeof spawnSync>;
    beforeAll(async () => {
      small = await mkdtemp(join(tmpdir(), "weir-small-"));
      mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small], { encoding: "utf8" });
    });
    afterAll(async () => {
      spawnSync("umount", [small]);
      await rm(small, { recursive: true, force: true });
    });

    test("is an error that says so, and there is no part of a segment", async (context) => {
      if (mounted.status !== 0) context.skip(`no disk can be mounted here: ${mounted.stderr}`);
      place = openFolder(join(small, "archive"));
      const error = await archive().catch((error: Error) => error);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toBe(`Cannot archive to "${place.where}": the disk is full, expected room for the files`); // biome-ignore format: one line
      expect(await readdir(place.where)).toEqual([]);
    });
  });

  test("a second run archives what came since, and nothing twice", async () => {
    await archive(PARQUET, [{ ...POSITIONS[0]!, stored: 30 }]);
    await archive();
    expect(await archive()).toEqual([]);
    const segments = effective(await place.manifests());
    expect(segments.map(({ ranges }) => ranges)).toEqual([
      [{ partition: 0, from: 0, to: 30 }],
      [
        { partition: 0, from: 30, to: 100 },
        { partition: 1, from: 0, to: 80 },
      ],
    ]);
    const archived = (table: string) => archivedRows(place, segments, table, columns.get(table)!);
    expect(await contents("1", archived)).toEqual(await contents(STORED));
  });

  test("a long stretch becomes segments of a size, cut behind a record", async () => {
    const written = await writeArchive({
      store,
      place,
      encoding: PARQUET,
      positions: POSITIONS,
      now: () => new Date(),
      segmentRows: 40,
    });
    // All made within a second, where ids know no order: none is taken for a repeat of another.
    const at = ({ id }: Manifest) => `20260101T000000Z-${id.slice(-8)}`;
    expect(effective(written.map((each) => ({ ...each, id: at(each) })))).toHaveLength(written.length);
    expect(
      written.map(({ ranges: [range], tables }) => [
        range!.partition,
        range!.from,
        range!.to,
        tables.transactions!.rows,
      ]),
    ).toEqual([
      [0, 0, 40, 40],
      [0, 40, 80, 40],
      [0, 80, 100, 20],
      [1, 0, 40, 40],
      [1, 40, 80, 40],
    ]);
  });
});

describe("what changes the store", () => {
  beforeAll(async () => {
    for (const table of ARCHIVED_TABLES) await store.command(`TRUNCATE TABLE ${table}`);
  });
  beforeEach(() => fillAgain(SOME));

  test.each([
    { ...PARQUET, compression: "zstd" },
    { ...PARQUET, compression: "lz4" },
    { ...JSON_LINES, compression: "zstd" },
    { ...JSON_LINES, compression: "lz4" },
  ] as Encoding[])("$format with $compression holds the same", async (encoding) => {
    const [segment] = await archive(encoding);
    const archived = (table: string) => archivedRows(place, [segment!], table, columns.get(table)!);
    expect(await contents("1", archived, SOME)).toEqual(await contents(STORED, undefined, SOME));
    for (const table of SOME)
      expect(await checkSegmentFile(store, place, segment!, segment!.tables[table]!)).toBeUndefined();
  });

  test("what is old goes and comes back identical; roll-ups notice neither; twice does nothing", async () => {
    await archive();
    const before = await contents();
    const summed = await rollUps();
    const { removed, late } = await clean(100);
    expect(late).toEqual([]);
    expect(removed.transactions).toBe(100);
    for (const [table, ofTable] of columns) {
      const [left] = await store.rows<{ n: string }>(
        `SELECT count() AS n FROM ${table} WHERE ${microsOf(ofTable)} < 100 * 60000000`,
      );
      // Of dead letters the first one has no time.
      expect([table, left!.n]).toEqual([table, table === "dead_letters" ? "1" : "0"]);
    }
    expect(await rollUps()).toEqual(summed);
    expect((await clean(100)).removed).toEqual({});

    const segments = await place.manifests();
    expect((await restoreSegments({ store, place, segments })).transactions).toBe(100);
    expect(await contents()).toEqual(before);
    expect(await rollUps()).toEqual(summed);
    expect(await restoreSegments({ store, place, segments })).toEqual({});
    expect(await contents()).toEqual(before);

    const kept = await clean(100); // what somebody wanted back stays
    expect(kept).toEqual({ removed: {}, late: [], kept: segments.map(({ id }) => id) });
    await giveUp(store, segments);
    expect((await clean(100)).removed.transactions).toBe(100);
  });

  test("mending roll-ups after a kill does not take off what retention has removed", async () => {
    await archive();
    await clean(100);
    // A late record of the first minute, whose other row is gone: it is what mending would make the minute anew from.
    await store.command(
      "INSERT INTO transactions (source, partition, offset, n, event_time, chain_id) VALUES ('tx_raw', 0, 500, 0, '1970-01-01 00:00:05', 1)",
    );
    const summed = await rollUps();
    expect(summed[0]).toMatchObject({ minute: "1970-01-01 00:00:00", n: "2" });
    await mendRollUps(store, "tx_raw", [{ partition: 0, from: 100, to: 501 }]);
    expect(await rollUps()).toEqual(summed);
  });

  test("rows that the archive lacks are archived before they go, whatever the reason", async () => {
    await archive();
    const late =
      "INSERT INTO alerts (source, partition, offset, n, event_time, rule, message) VALUES ('tx_raw', 0, 7, 0, '1970-01-01 00:00:05', 'late', 'came later')";
    await store.command(late);
    const before = await contents();
    const first = await clean(100);
    expect(first.late).toHaveLength(1);
    expect(first.late[0]).toMatchObject({ late: true, tables: { alerts: { rows: 1 } } });
    expect(Object.keys(first.late[0]!.tables)).toEqual(["alerts"]);
    await restoreSegments({ store, place, segments: effective(await place.manifests()) });
    expect(await contents()).toEqual(before);
  });

  test("rows of replaced blocks stay: who reads roll-ups takes off what they count", async () => {
    await archive();
    await store.command("TRUNCATE TABLE replaced_blocks");
    await store.command(
      `INSERT INTO replaced_blocks (chain_id, block_number, block_hash, replaced, offset)
       SELECT chain_id, 1, assumeNotNull(block_hash), 1, 0 FROM transactions WHERE block_hash IS NOT NULL AND ${STORED} ORDER BY offset LIMIT 1`,
    );
    const { removed } = await clean(1_000);
    expect(removed.transactions).toBe(179);
    await store.command("TRUNCATE TABLE replaced_blocks");
  });

  test("without an archive, what is old is removed, below what is stored only", async () => {
    const { removed } = await clean(1_000, false);
    expect(removed.transactions).toBe(180);
    const [left] = await store.rows<{ least: string }>("SELECT min(offset) AS least FROM transactions");
    expect(left!.least).toBe("80");
  });

  test("without an archived row nothing goes: only what is in segments is looked at", async () => {
    expect(await clean(1_000)).toEqual({ removed: {}, late: [], kept: [] });
  });

  describe("damage", () => {
    test("is found, is not restored, and what the file had is archived anew before it goes", async () => {
      const [segment] = await archive();
      const file = segment!.tables.swaps!;
      await appendFile(join(folder, segment!.id, file.file), "x");
      expect(await checkSegmentFile(store, place, segment!, file)).toMatch(/^it has \d+ bytes, expected \d+$/);
      await expect(restoreSegments({ store, place, segments: [segment!] })).rejects.toThrow(
        /Cannot restore .* of its table "swaps" it has/,
      );
      await rm(join(folder, segment!.id, file.file));
      expect(await checkSegmentFile(store, place, segment!, file)).toMatch(/^it cannot be read: ENOENT/);
      const before = await contents();
      await expect(clean(1_000)).rejects.toThrow(/swaps/);
      expect(await contents()).toEqual(before);
    });

    test("a file with other rows under the same name does not let rows go unarchived", async () => {
      const [segment] = await archive();
      const other = await archiveOf(2); // partition 2 has no rows but these
      await writeFile(
        join(folder, segment!.id, "swaps.parquet"),
        await readFile(join(folder, other.id, "swaps.parquet")),
      );
      await place.remove(other.id);
      const { late } = await clean(1_000);
      expect(late.map(({ tables }) => tables.swaps?.rows)).toEqual([180]);
    });

    async function archiveOf(partition: number): Promise<Manifest> {
      await store.command(
        `INSERT INTO swaps SELECT * REPLACE (toUInt16(${partition}) AS partition, 'other' AS protocol) FROM (SELECT * FROM swaps WHERE partition = 0)`,
      );
      const [segment] = await archive(PARQUET, [{ source: "tx_raw", partition, stored: 100 }]);
      return segment!;
    }

    test("what a kill leaves of a segment is not seen, and swept by the next run", async () => {
      await mkdir(join(folder, "20260101T000000Z-00000000.draft"));
      await writeFile(join(folder, "20260101T000000Z-00000000.draft", "swaps.parquet"), "half");
      await mkdir(join(folder, "not-ours"));
      expect(await place.manifests()).toEqual([]);
      await archive();
      expect((await readdir(folder)).filter((name) => name.endsWith(".draft"))).toEqual([]);
      expect(await place.manifests()).toHaveLength(1);
    });

    test("a run that fails leaves nothing", async () => {
      const broken: ArchivePlace = { ...place, digest: () => Promise.reject(new Error("disk full")) };
      await expect(
        writeArchive({ store, place: broken, encoding: PARQUET, positions: POSITIONS, now: () => new Date() }),
      ).rejects.toThrow("disk full");
      expect(await readdir(folder)).toEqual([]);
    });

    test("a manifest that is not one is an error that names it", async () => {
      const [segment] = await archive();
      await writeFile(
        join(folder, segment!.id, "manifest.json"),
        JSON.stringify({ ...segment, tables: { "x; DROP": {} } }),
      );
      await expect(openFolder(folder).manifests()).rejects.toThrow(
        /Cannot read the manifest ".*manifest.json": tables.x; DROP/,
      );
    });
  });

  /** What speaks for the server is the embedded store's process: it has the same interface, and is spoken to as a server is. */
  describe("in a bucket, of a server", () => {
    let s3: Awaited<ReturnType<typeof startS3>>;
    let server: Store;
    let options: ObjectStoreOptions;
    beforeAll(async () => {
      s3 = await startS3("history");
      const { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = s3.env;
      options = { endpoint, accessKeyId, secretAccessKey, region: "us-east-1", pageSize: 2 };
      const { secret: password } = (await readAddress(home.folder))!;
      const secrets = [options.secretAccessKey!];
      server = await openStore({ url: home.store.url, username: "weir", password, secrets });
    });
    let number = 0;
    beforeEach(() => {
      store = server;
      place = openBucket(`s3://history/${number++}/archive`, options);
    });
    afterEach(() => void (store = home.store));
    afterAll(async () => {
      await server?.close();
      await s3?.stop();
    });
    const objects = () => openObjects(place.where, options, "look into");
    const names = async (): Promise<string[]> => (await objects().list()).map(({ name }) => name).sort();

    test("what is old goes, can be asked there, and comes back identical", async () => {
      const segments = await writeArchive({ store, place, encoding: PARQUET, positions: POSITIONS, now: () => new Date(), segmentRows: 50 }); // biome-ignore format: one line
      expect(segments.length).toBeGreaterThan(2);
      expect(effective(await place.manifests())).toEqual(segments);
      for (const segment of segments)
        for (const file of Object.values(segment.tables))
          expect(await checkSegmentFile(store, place, segment, file)).toBeUndefined();
      const before = await contents();
      const { removed } = await clean(1_000);
      expect(removed.transactions).toBe(180);
      expect(await contents(STORED)).not.toEqual(before);

      const page = await createArchiveReader(store, place).rows("transactions", {}, { limit: 7, offset: 0 });
      expect(page).toMatchObject({ total: "180", segments: segments.length });
      expect(page.rows).toHaveLength(7);

      const again = openBucket(place.where, options); // another process's
      expect((await restoreSegments({ store, place: again, segments: await again.manifests() })).transactions).toBe(
        180,
      );
      expect(await contents()).toEqual(before);
    });

    test("what a kill leaves is not seen, and swept by the next run; what is not ours stays", async () => {
      const left = "20260101T000000Z-00000000/swaps.parquet";
      await objects().put(left, Buffer.from("half"));
      await objects().put("notes.txt", Buffer.from("not ours"));
      expect(await place.manifests()).toEqual([]);
      const [segment] = await archive();
      const files = SOME.map((table) => `${segment!.id}/${table}.parquet`);
      expect(await names()).toEqual([...files.sort(), `manifests/${segment!.id}.json`, "notes.txt"]);
      await place.remove(segment!.id);
      expect(await names()).toEqual(["notes.txt"]);
    });

    test("an object that is another one by now is found, and lets no row go", async () => {
      const [segment] = await archive();
      const file = segment!.tables.swaps!;
      await objects().put(`${segment!.id}/${file.file}`, Buffer.from("x"));
      expect(await checkSegmentFile(store, place, segment!, file)).toBe(`it has 1 bytes, expected ${file.bytes}`);
      const before = await contents();
      await expect(clean(1_000)).rejects.toThrow(/Cannot read from the store/);
      expect(await contents()).toEqual(before);
      await objects().remove([`${segment!.id}/${file.file}`]);
      expect(await checkSegmentFile(store, place, segment!, file)).toMatch(/^it cannot be read: .* no object/);
    });

    test.each([
      ["a key that is not known", "history", { accessKeyId: "nobody" }, /refuses our keys \(InvalidAccessKeyId\)/],
      ["a bucket that is not there", "nowhere", {}, /there is no such bucket/],
      ["a server that is not there", "history", { endpoint: "http://127.0.0.1:9" }, /ECONNREFUSED/],
    ])("%s is an error that says so, and nothing goes or comes back", async (_what, bucket, more, message) => {
      const segments = await archive();
      const whole = place;
      place = openBucket(`s3://${bucket}/x`, { ...options, ...more });
      await expect(archive()).rejects.toThrow(message);
      await expect(clean(1_000)).rejects.toThrow(message);
      const error = await restoreSegments({ store, place, segments }).catch((error: Error) => error);
      expect(error).toBeInstanceOf(WeirError); // not that the file is damaged
      expect((error as Error).message).toMatch(message);
      expect(await store.rows("SELECT * FROM restored_segments")).toEqual([]);
      // the store itself is refused as soon, and does not go on trying
      const reader = createArchiveReader(store, { ...place, manifests: whole.manifests });
      await expect(reader.rows("swaps", {}, { limit: 1, offset: 0 })).rejects.toMatchObject({ name: "StoreRefused" });
    });

    test("keys of the bucket are in no message of the store's", async () => {
      place = openBucket("s3://nowhere/x", options);
      const wrong = place.files(["a"], "b.parquet", "Parquet", "x UInt8").replace("UInt8", "NoType");
      const error = await store
        .command(`INSERT INTO FUNCTION ${wrong} SELECT 1`)
        .catch((error: Error) => error.message);
      expect(error).toMatch(/Cannot run a command in the store/);
      expect(error).not.toContain(options.secretAccessKey);
    });
  });
});
