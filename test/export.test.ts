/** `weir export` as a process: SIGKILL in the middle, a disk that is full, what it says and with which exit code. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Dataset, File, ready } from "h5wasm/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../clickhouse/client.ts";
import { stopEmbedded } from "../clickhouse/embedded/open.ts";
import { openFolder } from "../clickhouse/exports/folder.ts";
import { exportSpec } from "../clickhouse/exports/request.ts";
import { runExport } from "../clickhouse/exports/runExport.ts";
import { readExamples } from "../clickhouse/exports/testing/readExamples.ts";
import { addSwaps } from "../clickhouse/exports/testing/swapRows.ts";
import { migrate } from "../clickhouse/migrate.ts";
import type { FailpointName } from "../engine/ops/failpoint.ts";
import { startWeir } from "./support/engineProcess.ts";

const S3rver = createRequire(import.meta.url)("s3rver") as new (
  options: object,
) => { run(): Promise<{ port: number }>; close(): Promise<void> };
const WEIR = fileURLToPath(new URL("../engine/weir.mjs", import.meta.url));
let folder: string;
const env = () => ({ PATH: process.env.PATH, HOME: process.env.HOME, WEIR_DATA: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-export-"));
  const store = await openStore({ folder: join(folder, "clickhouse") });
  await store.createDatabase();
  await migrate(store);
  await addSwaps(store, { partition: 0, offset: 0, count: 20_000, block: 1 });
  await store.close();
});
afterAll(async () => {
  await stopEmbedded(join(folder, "clickhouse"));
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (program: string, args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) =>
    execFile(program, args, { env: env(), cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
const weir = (...args: string[]): Promise<Ended> => run(process.execPath, [WEIR, ...args]);

/** By the store itself, by threads beside it, and by us, a batch at a time. */
test.each([
  { format: "ndjson", point: "export file written", times: 3 },
  { format: "tfrecord", point: "export file written", times: 3 },
  { format: "hdf5", point: "export batch written", times: 2 },
] satisfies { format: string; point: FailpointName; times: number }[])(
  "SIGKILL in the middle of $format leaves nothing under a final name, and the same command finishes it: each row once",
  async ({ format, point, times }) => {
    const out = join(folder, format);
    const names = async (): Promise<string[]> => (await readdir(out)).filter((name) => !name.startsWith("."));
    const args = ["export", "swaps", "--format", format, "--part-rows", "8000", "--out", out];
    const killed = startWeir(args, { WEIR_DATA: folder, WEIR_FAILPOINT: `${point}@${times}` });
    expect((await killed.exited).signal, killed.log()).toBe("SIGKILL");
    expect(await names()).toEqual([]);
    const staged = await readdir(join(out, ".weir-swaps"));
    expect(staged.filter((name) => name.endsWith(".new")).length).toBeGreaterThanOrEqual(1);
    const { done } = JSON.parse(await readFile(join(out, ".weir-swaps", "state.json"), "utf8")) as { done: unknown[] };

    const store = await openStore({ folder: join(folder, "clickhouse") });
    const spec = exportSpec({ dataset: "swaps", format, partRows: 8_000 });
    const { manifest, resumed } = await runExport({ store, place: await openFolder(out), spec });
    await store.close();
    expect(manifest!.parts.map(({ rows }) => rows)).toEqual([8_000, 8_000, 4_000]);
    expect(resumed).toBe(done.length);
    const files = (await names()).sort();
    expect(files).toHaveLength(4);
    const offsets = await Promise.all(files.slice(0, 3).map((file) => offsetsIn(format, join(out, file))));
    expect(offsets.flat()).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  },
);

async function offsetsIn(format: string, path: string): Promise<number[]> {
  if (format === "tfrecord") return readExamples(await readFile(path)).map(({ offset }) => Number(offset));
  if (format === "ndjson")
    return [...(await readFile(path, "utf8")).matchAll(/"offset":(\d+)/g)].map(([, offset]) => Number(offset));
  await ready;
  const file = new File(path, "r");
  const values = (file.get("offset") as Dataset).value as ArrayLike<bigint>;
  file.close();
  return Array.from(values, Number);
}

const noSmallDisk = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { encoding: "utf8" });
const cannotMount = noSmallDisk.error?.message ?? (noSmallDisk.status === 0 ? undefined : noSmallDisk.stderr.trim());
if (cannotMount !== undefined) console.warn(`Skipping the full disk: ${cannotMount}`);

test.skipIf(cannotMount !== undefined)(
  "a full disk is an error that says so, and no file has its final name",
  async () => {
    const script = `mkdir small && mount -t tmpfs -o size=1m tmpfs small && "$@"; echo "exit $?"; echo "small: $(ls -A small)"; ls small/.weir-swaps`;
    const command = [
      process.execPath,
      WEIR,
      "export",
      "swaps",
      "--format",
      "csv",
      "--part-rows",
      "1000",
      "--out",
      "small",
    ];
    await stopEmbedded(join(folder, "clickhouse")); // one that is started in there sees the small disk, too
    const { stdout, stderr } = await run("unshare", ["-rm", "sh", "-c", script, "sh", ...command]);
    await stopEmbedded(join(folder, "clickhouse"));
    expect(stderr).toMatch(
      /^weir: Cannot export to ".*small": the disk is full, expected room for the files\n {2}next {3}Make room/m,
    );
    const [exit, place, ...staged] = stdout.trim().split("\n");
    expect([exit, place]).toEqual(["exit 1", "small: .weir-swaps"]);
    // Two files are made at a time: each is whole or not, the draft of neither is left.
    expect(staged.filter((name) => !/^swaps-000001-0000[12].csv$/.test(name))).toEqual(["state.json"]);
  },
);

test("into a bucket: the files, then the manifest; what came since is known from it; a server that is away is exit 4", async () => {
  const s3 = new S3rver({
    ...{ port: 0, address: "127.0.0.1", silent: true, directory: join(folder, "s3") },
    configureBuckets: [{ name: "lake" }],
  });
  const { port } = await s3.run();
  const keys = {
    AWS_ACCESS_KEY_ID: "S3RVER",
    AWS_SECRET_ACCESS_KEY: "S3RVER",
    S3_ENDPOINT: `http://127.0.0.1:${port}`,
  };
  const args = ["export", "swaps", "--incremental", "--out", "s3://lake/swaps", "--part-rows", "15000", "--json"];
  const upload = () =>
    run("env", [...Object.entries(keys).map((pair) => pair.join("=")), process.execPath, WEIR, ...args]);
  try {
    const first = await upload();
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toMatchObject({ out: "s3://lake/swaps/", number: 1, rows: 20_000, parts: 2 });
    expect(JSON.parse((await upload()).stdout)).toMatchObject({ number: null, rows: 0 });
    const stored = (await readdir(join(folder, "s3", "lake", "swaps"))).filter((name) => name.endsWith("_object"));
    expect(stored.map((name) => name.split("._")[0]).sort()).toEqual([
      ...["swaps-000001-00001.csv", "swaps-000001-00002.csv", "swaps-000001.manifest.json"],
    ]);
  } finally {
    await s3.close();
  }
  expect(await upload()).toMatchObject({ code: 4, stderr: expect.stringContaining('Cannot list "s3://lake/swaps/"') });
});

test("without --out it goes to standard output; what needs files does not, and mistakes are usage", async () => {
  const csv = await weir("export", "swaps", "--columns", "block_number,tick", "--limit", "3");
  expect(csv).toMatchObject({ code: 0, stdout: '"block_number","tick"\n1,-1\n1,\n1,-3\n', stderr: "" });
  expect(await weir("export", "swaps", "--format", "hdf5")).toMatchObject({ code: 1, stdout: "" });
  expect((await weir("export", "swaps", "--from", "yesterday")).code).toBe(2);
  expect((await weir("export")).code).toBe(2);
  expect(existsSync(join(folder, ".weir-swaps"))).toBe(false);
});
