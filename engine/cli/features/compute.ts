import { type Command, InvalidArgumentError, Option } from "commander";
import { planFeatures } from "../../../clickhouse/features/chunks.ts";
import { UserError } from "../../ops/errors.ts";
import { loadConfiguration } from "../configuration.ts";
import { chainId } from "../label/list.ts";
import { openStoreOnly } from "../store.ts";
import { printBytes } from "../terminal.ts";

interface Options {
  readonly chain: number;
  readonly since?: Date;
  readonly until?: Date;
  readonly features?: string[];
  readonly format: keyof typeof FORMATS;
}

/** Ours to ClickHouse's, both without a line of names: that comes once. */
const FORMATS = { ndjson: "JSONEachRow", csv: "CSV", tsv: "TSV" } as const;

export function computeFeaturesCommand(command: Command): void {
  command
    .requiredOption("--chain <id>", "chain", chainId)
    .option("--since <time>", "blocks of this time on (default: the first stored)", time)
    .option("--until <time>", "blocks before this time", time)
    .option("--features <names>", "features, groups or single columns (default: all)", (text) => text.split(","))
    .addOption(new Option("--format <format>", "of stdout").choices(Object.keys(FORMATS)).default("ndjson"))
    .addHelpText(
      "after",
      `
Examples:
  weir features compute --chain 1 --since 2024-05-01 --until 2024-05-02 > features.ndjson
  weir features compute --chain 1 --features price,gas_price_trend --format csv > prices.csv`,
    )
    .action(async ({ chain, features, format, ...period }: Options) => {
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        const chunks = await planFeatures(store, { chainId: chain, names: features, ...period });
        if (chunks.length === 0)
          throw new UserError(`Cannot compute features of chain ${chain}: no block of that period is stored`, {
            next: 'npx weir sql "select chain_id, min(block_timestamp), max(block_timestamp) from transactions group by chain_id"',
          });
        for (const [i, { sql, params }] of chunks.entries()) {
          const named = i === 0 && format !== "ndjson" ? `${FORMATS[format]}WithNames` : FORMATS[format];
          await printBytes(await store.stream(sql, params, named));
        }
      } finally {
        await store.close();
      }
    });
}

function time(text: string): Date {
  const date = new Date(/^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Expected a time such as 2024-05-01 or 2024-05-01T10:30:00Z.");
  return date;
}
