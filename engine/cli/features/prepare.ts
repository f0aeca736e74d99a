import { access, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { featureTimes } from "../../../clickhouse/features/chunks.ts";
import { ENCODINGS } from "../../../clickhouse/features/prepare/encode.ts";
import {
  applyPreparation,
  fitPreparation,
  PREPARE_DEFAULTS,
  type PreparedTable,
  type PrepareOptions,
} from "../../../clickhouse/features/prepare/prepare.ts";
import { METHODS } from "../../../clickhouse/features/prepare/scale.ts";
import { PARTS, type Part } from "../../../clickhouse/features/prepare/split.ts";
import { readFeatureTables } from "../../../clickhouse/features/prepare/table.ts";
import { UserError } from "../../ops/errors.ts";
import { makeFolder } from "../../ops/makeFolder.ts";
import { loadConfiguration } from "../configuration.ts";
import { openStoreOnly } from "../store.ts";
import { addFeatureRequest, type FeatureRequestOptions, requestOf } from "./request.ts";

interface Options extends FeatureRequestOptions, Omit<PrepareOptions, "split" | "handleOutliers"> {
  readonly out: string;
  readonly outliers: boolean;
  readonly split: readonly [number, number, number];
  readonly embargo: number;
}

const { method, encoding, maxCategories } = PREPARE_DEFAULTS;

export function prepareFeaturesCommand(command: Command): void {
  addFeatureRequest(command)
    .requiredOption("--out <folder>", "for train.csv, val.csv, test.csv and preparation.json")
    .addOption(new Option("--method <method>", "how numbers are scaled").choices(METHODS).default(method))
    .option("--no-outliers", "do not cut off what is 3 interquartile ranges beyond the quartiles")
    .addOption(new Option("--encoding <encoding>", "of categories").choices(ENCODINGS).default(encoding))
    .option("--max-categories <n>", "texts that get a number of their own", number, maxCategories)
    .option("--split <shares>", "train, val, test", (text) => text.split(",").map(number), [0.7, 0.15, 0.15])
    .option("--embargo <seconds>", "left out behind each cut: what looks back over it", number, 3_600)
    .addHelpText(
      "after",
      `
Examples:
  weir features prepare --chain 1 --since 2024-05-01 --until 2024-05-08 --out data
  weir features prepare --chain 1 --features price,volume,protocol --method robust --encoding onehot --out data

Parts follow each other in time. Scales and categories are those of the train part alone; they are written to preparation.json.`,
    )
    .action(async (options: Options) => {
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        const request = requestOf(options);
        const tables = () => readFeatureTables(store, { ...request, chunkRows: 10_000 });
        const [train, val, test] = options.split;
        const preparation = await fitPreparation(tables, await featureTimes(store, request), {
          ...{ method: options.method, encoding: options.encoding, maxCategories: options.maxCategories },
          ...{ handleOutliers: options.outliers, split: { train, val, test, embargo: options.embargo } },
        });
        const rows = await writeParts(options.out, applyPreparation(preparation, tables()));
        await writeFile(
          join(options.out, "preparation.json"),
          `${JSON.stringify({ ...preparation, rows }, null, 1)}\n`,
        );
        process.stdout.write(`${JSON.stringify({ out: options.out, rows })}\n`);
      } finally {
        await store.close();
      }
    });
}

/** Files get their names when all of them are whole. @returns rows of each */
async function writeParts(folder: string, tables: AsyncIterable<PreparedTable>): Promise<Record<Part, number>> {
  await emptyFolder(folder);
  const rows = { train: 0, val: 0, test: 0 };
  const files = await Promise.all(
    PARTS.map(async (part) => [part, await open(join(folder, `${part}.csv.part`), "w")] as const),
  );
  try {
    const byPart = new Map(files);
    for await (const { part, hashes, columns } of tables) {
      const lines = hashes.map((hash, i) =>
        [hash, ...columns.map(({ numbers }) => (Number.isNaN(numbers[i]) ? "" : numbers[i]))].join(","),
      );
      if (rows[part] === 0) lines.unshift(["tx_hash", ...columns.map(({ name }) => name)].join(","));
      rows[part] += hashes.length;
      await byPart.get(part)!.appendFile(`${lines.join("\n")}\n`);
    }
    for (const [, file] of files) await file.sync();
  } finally {
    for (const [, file] of files) await file.close();
  }
  for (const part of PARTS) await rename(join(folder, `${part}.csv.part`), join(folder, `${part}.csv`));
  return rows;
}

async function emptyFolder(folder: string): Promise<void> {
  await makeFolder(folder).catch((error: Error) => {
    throw new UserError(`Cannot write to "${folder}": ${error.message}`);
  });
  for (const part of PARTS) {
    const there = await access(join(folder, `${part}.csv`)).then(() => true, () => false); // biome-ignore format: one question
    if (there) throw new UserError(`Cannot write to "${folder}": it has a ${part}.csv, expected a folder without one`);
  }
}

function number(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("Expected a number, 0 or more.");
  return Number(text);
}
