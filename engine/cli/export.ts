import { type Command, InvalidArgumentError } from "commander";
import { customFormat } from "../../clickhouse/exports/customFormat.ts";
import { DATASETS } from "../../clickhouse/exports/datasets.ts";
import { addFormat, FORMAT_NAMES } from "../../clickhouse/exports/formats.ts";
import { openPlace } from "../../clickhouse/exports/openPlace.ts";
import { exportSpec, PARTITIONS } from "../../clickhouse/exports/request.ts";
import { runExport } from "../../clickhouse/exports/runExport.ts";
import { streamExport } from "../../clickhouse/exports/streamExport.ts";
import { loadExtensions } from "../extensions/load.ts";
import { Interrupted, UsageError } from "../ops/errors.ts";
import { createFailpoint } from "../ops/failpoint.ts";
import { loadConfiguration } from "./configuration.ts";
import { interrupted } from "./interrupt.ts";
import { openStoreOnly } from "./store.ts";
import { createProgress, printRows } from "./terminal.ts";

interface Flags {
  readonly format: string;
  readonly out?: string;
  readonly compression?: string;
  readonly columns?: readonly string[];
  readonly chain?: readonly number[];
  readonly from?: Date;
  readonly to?: Date;
  readonly limit?: number;
  readonly partitionBy?: string;
  readonly partRows?: number;
  readonly incremental?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function exportCommand(command: Command): void {
  command
    .argument("[dataset]", "what: see --list")
    .option("--list", "the datasets that there are")
    .option("--format <format>", `${FORMAT_NAMES.join(", ")}, or one of an exporter in WEIR_EXTENSIONS`, "csv")
    .option("--out <place>", "a folder, s3://bucket/prefix or gs://bucket/prefix (default: standard output)")
    .option("--compression <name>", "parquet: zstd, snappy, gzip, none; arrow: lz4, zstd, none; others: none, gzip")
    .option("--columns <names>", "only these, separated by commas", (text) => text.split(","))
    .option("--chain <ids>", "only these chains, separated by commas", (text) => text.split(",").map(wholeNumber))
    .option("--from <time>", "from this event time on: 2024-01-15 or 2024-01-15T10:30:00Z", time)
    .option("--to <time>", "before this event time", time)
    .option("--limit <rows>", "rows at most", wholeNumber)
    .option("--partition-by <value>", `a folder for each ${PARTITIONS.join(", ")}`)
    .option("--part-rows <rows>", "rows of a file (default: 1000000)", wholeNumber)
    .option("--incremental", "only what came since the last export into the same place")
    .option("--json", "the summary as JSON, also on a terminal")
    .addHelpText(
      "after",
      `
Files have their names when all of them are whole, the manifest last. What was interrupted goes on where it was when the
same command is called again. Addresses and hashes are hex with 0x, amounts of 256 bits decimal text, times UTC.

Exit codes: 0 exported, 1 refused, 4 store or bucket unreachable, 130 Ctrl-C

Examples:
  weir export --list
  weir export swaps --chain 1 --from 2024-01-01 --columns block_number,tx_hash,pool,amount_in,amount_out | gzip > swaps.csv.gz
  weir export transactions --format parquet --partition-by date --out lake
  weir export alerts --format ndjson --incremental --out s3://my-bucket/alerts/`,
    )
    .action(async (name: string | undefined, { list, json = false, out, chain, ...flags }: Flags) => {
      if (list)
        return printRows(
          DATASETS.map(({ name, description }) => ({ name, description })),
          { json },
        );
      if (name === undefined) throw new UsageError("Cannot export: expected a dataset, see weir export --list");
      const { config } = loadConfiguration();
      for (const exporter of (await loadExtensions(config)).exporters) addFormat(customFormat(exporter));
      const spec = exportSpec({ ...flags, dataset: name, chains: chain });
      const signal = interrupted();
      const store = await openStoreOnly(config);
      const progress = createProgress(`exporting ${name}`, "rows");
      try {
        if (out === undefined) return await streamExport(store, spec, process.stdout, signal);
        const place = await openPlace(out, config);
        const began = performance.now();
        const { manifest, resumed } = await runExport({
          ...{ store, place, spec, signal, failpoint: createFailpoint(config.engine.failpoint) },
          onProgress: ({ rows, totalRows }) => progress.update(rows, totalRows),
        });
        progress.end();
        const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
        const { number = null, rows = 0, bytes = 0, parts = [] } = manifest ?? {};
        printRows([{ dataset: name, out: place.name, number, rows, bytes, parts: parts.length, resumed, seconds }], {
          json,
        });
      } catch (error) {
        throw signal.aborted ? new Interrupted("Stopped before the end: the same command goes on from there") : error;
      } finally {
        await store.close();
      }
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

function time(text: string): Date {
  const date = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Expected a time such as 2024-01-15 or 2024-01-15T10:30:00Z.");
  return date;
}
