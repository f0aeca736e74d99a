import type { Command } from "commander";
import { CATALOGUE } from "../../../clickhouse/features/catalogue.ts";
import { GROUPS } from "../../../clickhouse/features/feature.ts";
import { featurePage } from "../../../clickhouse/features/featureDocs.ts";
import { UsageError } from "../../ops/errors.ts";
import { narrowTable } from "../terminal.ts";

interface Options {
  readonly group?: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

export function listFeaturesCommand(command: Command): void {
  command
    .option("--group <name>", `one of ${GROUPS.join(", ")}`)
    .option("--json", "a JSON line a feature")
    .option("--markdown", "the documentation page")
    .addHelpText("after", "\nExamples:\n  weir features list --group risk\n  weir features list --json | jq -r .name")
    .action(({ group, json = false, markdown = false }: Options) => {
      if (group !== undefined && !(GROUPS as readonly string[]).includes(group))
        throw new UsageError(`Cannot list features of group "${group}": there is none, expected ${GROUPS.join(", ")}`);
      if (markdown) return void process.stdout.write(featurePage());
      const rows = CATALOGUE.filter((feature) => group === undefined || feature.group === group).map(
        ({ name, group, unit, windows = [], formula, seed = null }) => ({ name, group, unit, windows, formula, seed }),
      );
      if (json || !process.stdout.isTTY) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
      else
        process.stdout.write(
          narrowTable(
            rows.map(({ name, group, unit, windows, formula }) => ({
              name,
              group,
              unit,
              windows: windows.join(" "),
              formula,
            })),
            process.stdout.columns,
          ),
        );
    });
}
