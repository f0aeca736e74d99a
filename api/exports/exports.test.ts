import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addSwaps } from "../../clickhouse/exports/testing/swapRows.ts";
import { eq } from "../../engine/control/drizzle.ts";
import { exportSchedules, exports as table } from "../../engine/control/schema.ts";
import { startTestServer, type TestServer, TOKEN } from "../testServer.ts";
import { createExports, type Exports } from "./exports.ts";
import { createExportRunner, type ExportRunner } from "./runner.ts";

/** Of what the answers have, what is looked at here. */
interface Answer {
  readonly id: number;
  readonly schedule_id: number | null;
  readonly status: string;
  readonly rows: number;
  readonly total_rows: number | null;
  readonly files: readonly { file: string; rows: number; bytes: number; sha256: string; url: string | null }[];
  readonly error: string | null;
  readonly cron: string;
  readonly next_at: string;
}

let server: TestServer;
let exports: Exports;
let runner: ExportRunner;
const ROWS = { partition: 0, offset: 100, count: 500, block: 7_190 }; // ten blocks before midnight
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startTestServer();
  exports = createExports(server.control);
  runner = runnerOver(server.store);
  await addSwaps(server.store, ROWS);
});
afterAll(() => server?.close());

function runnerOver(store: TestServer["store"]): ExportRunner {
  const { control, config, folder, logger: log } = server;
  const objectStore = { region: "us-east-1" } as never; // no bucket is written to here
  return createExportRunner({ store, control, exports, log, config: { data: folder, objectStore, exports: config.exports } }); // biome-ignore format: one call
}

const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
async function send(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; location: string; body: Answer }> {
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const answer = await server.get(path, init);
  return { status: answer.status, location: answer.headers.get("location") ?? "", body: answer.body() as Answer };
}
const show = async (id: number): Promise<Answer> => (await send("GET", `/api/v1/exports/${id}`)).body;
const files = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name).sort(); // biome-ignore format: one chain

test("an export is asked for, followed, made and fetched, file by file", async () => {
  const asked = {
    dataset: "swaps",
    compression: "snappy",
    partition_by: "date",
    start_date: "2024-01-01",
    end_date: "2024-01-02",
  };
  const { status, location, body } = await send("POST", "/export/parquet", asked);
  expect({ status, location, body }).toMatchObject({ status: 202, location: `/api/v1/exports/${body.id}`, body: { status: "queued", rows: 0, total_rows: null, files: [] } }); // biome-ignore format: one line
  await runner.drain(never);
  const done = await show(body.id);
  expect(done).toMatchObject({ status: "finished", rows: 500, total_rows: 500, error: null });
  expect(done.files.map(({ file }) => file.split("/")[0])).toEqual(["date=2024-01-01", "date=2024-01-02"]);
  const offsets: number[] = [];
  for (const { url, bytes, sha256 } of done.files) {
    const answer = await fetch(server.url + url, { headers });
    const content = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, content.length, createHash("sha256").update(content).digest("hex")]).toEqual([200, bytes, sha256]); // biome-ignore format: one line
    const file = content.buffer.slice(content.byteOffset, content.byteOffset + content.length) as ArrayBuffer;
    offsets.push(...(await parquetReadObjects({ file, compressors })).map(({ offset }) => Number(offset)));
  }
  expect(offsets).toEqual(Array.from({ length: 500 }, (_, i) => 100 + i));
  await server.problem(`/api/v1/exports/${body.id}/files/3`, 404, { headers });
  const list = await server.get("/api/v1/exports?limit=1", { headers });
  expect(list.body()).toEqual([done]);
});

test.each([
  ["a format that is not known", "xlsx", {}, "Expected one of csv"],
  ["a column", "csv", { columns: ["tx_hsah"] }, 'Cannot export column "tx_hsah" of swaps: there is no such column'],
  ["a dataset", "csv", { dataset: "swap" }, "there is no such dataset"],
  ["a huge limit", "csv", { limit: 1e13 }, 'Cannot export with limit "10000000000000": it is out of range'],
  ["an inverted range", "csv", { start_date: "2024-01-03", end_date: "2024-01-01" }, "the range is empty"],
  ["an end that is no time", "csv", { end_date: "yesterday" }, 'Cannot export until "yesterday": it is no time'],
  ["a place that is not configured", "csv", { upload_to: "/etc" }, 'Cannot export to "/etc": these are configured'],
  ["a way out of one that is", "csv", { upload_to: "ALLOWED/../elsewhere" }, "expected a place below one of them"],
  ["a bucket", "csv", { upload_to: "s3://mine/x" }, "An administrator adds it to WEIR_EXPORT_TO"],
  ["a member", "csv", { dates: 1 }, "Unrecognized key"],
])("%s is refused, and nothing is queued", async (_, format, asked, message) => {
  const text = JSON.stringify({ dataset: "swaps", ...asked }).replace("ALLOWED", join(server.folder, "allowed"));
  const answer = await server.problem(`/export/${format}`, 400, { method: "POST", headers, body: text });
  expect(JSON.stringify(answer).replaceAll('\\"', '"')).toContain(message);
  expect(await exports.next()).toBeUndefined();
});

test("cancelled, it leaves nothing: one that waits is over at once, one that runs stops", async () => {
  const waits = (await send("POST", "/export/csv", { dataset: "swaps" })).body.id;
  expect((await send("DELETE", `/api/v1/exports/${waits}`)).body.status).toBe("cancelled");
  const runs = (await send("POST", "/export/csv", { dataset: "swaps", part_rows: 100 })).body.id;
  const folder = join(server.config.exports.folder, `export-${runs}`);
  await runnerOver(interrupting(1, () => void send("DELETE", `/api/v1/exports/${runs}`))).drain(never);
  expect(await show(runs)).toMatchObject({ status: "cancelled", files: [] });
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(join(server.config.exports.folder, `export-${waits}`))).toBe(false);
  expect((await send("DELETE", "/api/v1/exports/99999")).status).toBe(404);
});

test("when its process ends it goes on in the next, which makes what is missing alone", async () => {
  const { id } = (await send("POST", "/export/ndjson", { dataset: "swaps", part_rows: 100 })).body;
  const stop = new AbortController();
  await expect(runnerOver(interrupting(4, () => stop.abort())).drain(stop.signal)).rejects.toThrow(/abort/i);
  expect(await show(id)).toMatchObject({ status: "running", files: [] });
  await server.problem(`/api/v1/exports/${id}/files/1`, 404, { headers });
  const state = join(server.config.exports.folder, `export-${id}`, ".weir-swaps", "state.json");
  const { done } = JSON.parse(await readFile(state, "utf8")) as { done: unknown[] };
  expect([1, 2, 3, 4]).toContain(done.length); // the last of five begins once the first is done
  let made = 0;
  await runnerOver(
    interrupting(
      Number.NaN,
      () => {},
      () => void made++,
    ),
  ).drain(never);
  expect(made).toBe(5 - done.length);
  expect(await show(id)).toMatchObject({ status: "finished", rows: 500 });
});

test("what cannot be written to fails with the reason, and what comes behind it is made", async () => {
  const allowed = join(server.folder, "allowed");
  await mkdir(allowed, { recursive: true });
  await writeFile(join(allowed, "a-file"), "");
  const ask = async (name: string): Promise<number> =>
    (await send("POST", "/export/csv", { dataset: "swaps", upload_to: join(allowed, name) })).body.id;
  const [bad, good] = [await ask("a-file"), await ask("lake")];
  await runner.drain(never);
  const error = expect.stringContaining("a part of the path is a file, expected a folder");
  expect(await show(bad)).toMatchObject({ status: "failed", error, files: [] });
  const place = join(allowed, "lake", `export-${good}`);
  expect(await files(place)).toEqual(["swaps-000001-00001.csv", "swaps-000001.manifest.json"]);
  expect((await show(good)).files).toMatchObject([{ file: "swaps-000001-00001.csv", url: null }]);
});

test("a schedule exports what came since the last time, once, however many run", async () => {
  const place = join(server.folder, "allowed", "daily");
  const asked = { dataset: "swaps", format: "ndjson", frequency: "daily", upload_to: place };
  const nextMidnight = (now: number) => new Date(Math.floor(now / 86_400_000 + 1) * 86_400_000).toISOString();
  const askedAt = Date.now();
  const { status, body } = await send("POST", "/schedule/export", asked);
  expect({ status, cron: body.cron }).toEqual({ status: 201, cron: "0 0 * * *" });
  expect([askedAt, Date.now()].map(nextMidnight)).toContain(body.next_at);
  await runner.drain(never);
  expect(existsSync(place)).toBe(false); // it is not due

  const [first, again, then] = [
    await due(),
    await due(),
    await due(() => addSwaps(server.store, { ...ROWS, offset: 600, count: 10 })),
  ];
  expect([first, again, then].map(({ rows }) => rows)).toEqual([500, 0, 10]);
  const [name] = then.files.map(({ file }) => file);
  const lines = (await readFile(join(place, name!), "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).offset)).toEqual(Array.from({ length: 10 }, (_, i) => 600 + i));

  const removed = await send("DELETE", `/api/v1/export-schedules/${body.id}`);
  expect([removed.status, (await server.get("/api/v1/export-schedules", { headers })).body()]).toEqual([200, []]);
  expect((await send("POST", "/schedule/export", { ...asked, frequency: "61 * * * *" })).status).toBe(400);
  expect((await send("POST", "/schedule/export", { ...asked, frequency: "* * * * * *" })).status).toBe(400);

  /** Two processes find it due. */
  async function due(before?: () => Promise<void>): Promise<Answer> {
    await before?.();
    const last = (await exports.list(1, 0))[0]!.id;
    await server.control.change((tx) => tx.update(exportSchedules).set({ nextAt: new Date(0) }).where(eq(exportSchedules.id, body.id))); // biome-ignore format: one line
    await Promise.allSettled([runner.drain(never), runnerOver(server.store).drain(never)]);
    const made = (await exports.list(10, 0)).filter(({ id }) => id > last);
    expect(made.map(({ scheduleId, status }) => [scheduleId, status])).toEqual([[body.id, "finished"]]);
    return show(made[0]!.id);
  }
});

test("after WEIR_EXPORT_DAYS it is forgotten with the files that are ours", async () => {
  const kept = (await exports.list(100, 0)).filter(
    ({ status, uploadTo }) => status === "finished" && uploadTo === null,
  );
  const old = kept[0]!;
  await server.control.change((tx) =>
    tx
      .update(table)
      .set({ finishedAt: new Date(0) })
      .where(eq(table.id, old.id)),
  );
  await send("POST", "/export/csv", { dataset: "swaps", limit: 1 });
  await runner.drain(never);
  expect([existsSync(old.place!), existsSync(kept[1]!.place!)]).toEqual([false, true]);
  expect((await send("GET", `/api/v1/exports/${old.id}`)).status).toBe(404);
});

/** The store, which calls when it is to write file n, counted from 0, and does so once it is told to stop; and calls each time. */
function interrupting(n: number, call: () => void, each = () => {}): TestServer["store"] {
  let asked = 0;
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  return {
    ...server.store,
    async command(sql, ...more) {
      if (sql.startsWith("KILL QUERY") && asked > n) stop();
      if (sql.startsWith("INSERT INTO FUNCTION file(")) {
        each();
        if (asked++ === n) {
          call();
          await stopped;
        }
      }
      return server.store.command(sql, ...more);
    },
  };
}
