import { type Command, Option } from "commander";
import { planFeatures } from "../../../clickhouse/features/chunks.ts";
import { UserError } from "../../ops/errors.ts";
import { loadConfiguration } from "../configuration.ts";
import { openStoreOnly } from "../store.ts";
import { printBytes } from "../terminal.ts";
import { addFeatureRequest, type FeatureRequestOptions, requestOf } from "./request.ts";

interface Options extends FeatureRequestOptions {
  readonly format: keyof typeof FORMATS;
}

/** Ours to ClickHouse's, both without a line of names: that comes once. */
const FORMATS = { ndjson: "JSONEachRow", csv: "CSV", tsv: "TSV" } as const;

export function computeFeaturesCommand(command: Command): void {
  addFeatureRequest(command)
    .addOption(new Option("--format <format>", "of stdout").choices(Object.keys(FORMATS)).default("ndjson"))
    .addHelpText(
      "after",
      `
Examples:
  weir features compute --chain 1 --since 2024-05-01 --until 2024-05-02 > features.ndjson
  weir features compute --chain 1 --features price,gas_price_trend --format csv > prices.csv`,
    )
    .action(async ({ format, ...options }: Options) => {
      const { config } = loadConfiguration();
      const store = await openStoreOnly(config);
      try {
        const chunks = await planFeatures(store, requestOf(options));
        if (chunks.length === 0)
          throw new UserError(`Cannot compute features of chain ${options.chain}: no block of that period is stored`, {
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
