/** How fast rows leave as files, by format, and what memory that takes of ours. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import { openFolder } from "../../clickhouse/exports/folder.ts";
import { FORMAT_NAMES, type FormatName } from "../../clickhouse/exports/formats.ts";
import { type ExportOptions, exportSpec } from "../../clickhouse/exports/request.ts";
import { runExport } from "../../clickhouse/exports/runExport.ts";
import { figure, type Goal } from "../figure.ts";
import { forgetPeak, peakMemory } from "../measure/processCpu.ts";
import type { Check, Context, Figure, Measured } from "../scenario.ts";
import { countOf } from "./history.ts";
import { type CpuClock, millisecondsOf } from "./stopwatch.ts";

const MILLION: Goal = { atLeast: 1_000_000 };
const GOALS: Readonly<Partial<Record<FormatName, Goal>>> = {
  ...{ csv: MILLION, parquet: MILLION, arrow: MILLION },
  ...{ hdf5: { atLeast: 100_000 }, tfrecord: { atLeast: 100_000 } },
};
/** What people ask of swaps, as a choice of columns. */
const USUAL = [
  ...["block_number", "block_timestamp", "tx_hash", "tx_from", "protocol", "pool"],
  ...["token_in", "amount_in", "token_out", "amount_out"],
];
/** Of ours, beyond what there was before. */
const MEMORY: Goal = { below: 300 };

/** With a goal close to what two cores give: one run is 15 % more or less than another. Of the rest one says enough. */
const CLOSE_RUNS = 3;

/** Swaps into files on this disk, hashed and synced: all columns in each format, and some in CSV. @param rows how many of them */
export async function measureExports(
  { store, folder, rows, cpu }: { store: Store; folder: string; rows: number; cpu: CpuClock },
  { say }: Context,
): Promise<Measured> {
  await growSwaps(store, rows);
  while (await merges(store)) await sleep(100); // the copies: they would count as the first format's
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const out = join(folder, "out");
  /** One export into a folder of its own. */
  async function timed(
    name: string,
    asked: Pick<ExportOptions, "format" | "columns">,
    limit: number,
  ): Promise<{ ms: number; bytes: number }> {
    await mkdir(out);
    const spec = exportSpec({ dataset: "swaps", ...asked, limit });
    const place = await openFolder(out);
    let exported = { rows: 0, bytes: 0 };
    const ms = await millisecondsOf(async () => {
      exported = (await runExport({ store, place, spec })).manifest!;
    });
    checks.push({ name: `${name}: rows exported`, expected: limit, got: exported.rows });
    await rm(out, { recursive: true });
    return { ms, bytes: exported.bytes };
  }
  const cases = [
    ...FORMAT_NAMES.map((format) => ({ name: format, asked: { format }, goal: GOALS[format] })),
    { name: `csv, ${USUAL.length} columns`, asked: { format: "csv", columns: USUAL }, goal: undefined },
  ];
  for (const { name, asked, goal } of cases) {
    await timed(name, asked, 1); // loads what the format needs
    const memory = process.memoryUsage().rss;
    forgetPeak(); // sampled now and then it would not be seen while the event loop waits for HDF5
    const [rates, cpus, sizes]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < (goal === MILLION ? CLOSE_RUNS : 1); run++) {
      const used = (): number => cpu() + process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
      const before = used();
      const { ms, bytes } = await timed(name, asked, rows);
      rates.push((1000 * rows) / ms);
      cpus.push((1e6 * (used() - before)) / rows);
      sizes.push(bytes / rows);
    }
    say(`${rows} swaps as ${name}: ${rates.map(Math.round).join(", ")} rows/s, ${cpus[0]!.toFixed(2)} µs of CPU and ${Math.round(sizes[0]!)} B a row`); // biome-ignore format: one line
    figures.push(figure(`export ${name}`, "rows/s", rates, goal));
    figures.push(figure(`export ${name}: size`, "B/row", sizes));
    figures.push(figure(`export ${name}: CPU, the store's and ours`, "µs/row", cpus));
    const peak = peakMemory(process.pid);
    if (peak !== undefined)
      figures.push(figure(`export ${name}: memory of ours`, "MiB", [(peak - memory) / 2 ** 20], MEMORY));
  }
  return { checks, figures };
}

async function merges(store: Store): Promise<boolean> {
  const [found] = await store.rows<{ count: string }>("SELECT count() AS count FROM system.merges");
  return found?.count !== "0";
}

/**
 * Doubles what there is, each copy with hashes and offsets of its own and in later blocks, as swaps come in: parts whose blocks lie across each
 * other have to be merged row by row when they are read in order, which takes as long as all the rest.
 */
async function growSwaps(store: Store, wanted: number): Promise<void> {
  const [known] = await store.rows<{ blocks: number }>(
    "SELECT toFloat64(max(block_number) - min(block_number) + 1) AS blocks FROM swaps",
  );
  let rows = await countOf(store, "swaps");
  for (let step = 1, { blocks } = known!; rows < wanted; step *= 2, rows *= 2, blocks *= 2)
    await store.command(
      `INSERT INTO swaps SELECT t.* REPLACE (SHA256(concat(t.tx_hash, '${step}')) AS tx_hash, t.offset + ${1e12 * step} AS offset,
         t.block_number + ${blocks} AS block_number, t.event_time + toIntervalSecond(12 * ${blocks}) AS event_time) FROM swaps AS t`,
    );
}
