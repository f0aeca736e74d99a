import { type Command, InvalidArgumentError } from "commander";
import { ARCHIVED_TABLES } from "../../../clickhouse/archive/columns.ts";
import { UserError } from "../../ops/errors.ts";
import { group, printRows } from "../terminal.ts";
import { type PeriodOptions, periodOf, wholeNumber, withArchive, withPeriod } from "./openArchive.ts";

interface QueryOptions extends PeriodOptions {
  readonly hash?: string;
  readonly address?: string;
  readonly block?: number;
  readonly limit: number;
  readonly offset: number;
  readonly json?: boolean;
}

const MAX_LIMIT = 10_000;

export function queryCommand(command: Command): void {
  withPeriod(command.argument("<table>", ARCHIVED_TABLES.join(", ")))
    .option("--hash <hash>", "of a transaction", hex(64))
    .option("--address <address>", "in any column with addresses", hex(40))
    .option("--block <number>", "height", wholeNumber)
    .option("--limit <rows>", `rows at most, up to ${MAX_LIMIT}`, limit, 100)
    .option("--offset <rows>", "rows to leave out before them", wholeNumber, 0)
    .addHelpText(
      "after",
      `
Newest rows first, read from the archive's files: the store need not have them any more.

Examples:
  weir archive query transactions --from 2024-06-01 --to 2024-06-02 --chain 1 --limit 10
  weir archive query alerts --address 0x00000000219ab540356cbb839cbe05303d7705fa --json | jq -r .message`,
    )
    .action((table: string, { hash, address, block, limit, offset, json = false, ...period }: QueryOptions) =>
      withArchive(async ({ reader }) => {
        if (!ARCHIVED_TABLES.includes(table))
          throw new UserError(
            `Cannot read table "${table}" of the archive: there is none, expected one of ${ARCHIVED_TABLES.join(", ")}`,
          );
        const filter = { ...periodOf(period), hash, address, blockNumber: block };
        const { rows, total, segments } = await reader.rows(table, filter, { limit, offset });
        printRows(
          rows.map(({ cursor: _, ...row }) => row),
          { json },
        );
        process.stderr.write(`${group(rows.length)} of ${group(Number(total))} rows in ${group(segments)} segments\n`);
      }),
    );
}

const hex =
  (digits: number) =>
  (text: string): string => {
    if (new RegExp(`^0x[0-9a-fA-F]{${digits}}$`).test(text)) return text;
    throw new InvalidArgumentError(`Expected 0x and ${digits} hex digits.`);
  };

function limit(text: string): number {
  const rows = wholeNumber(text);
  if (rows >= 1 && rows <= MAX_LIMIT) return rows;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_LIMIT}.`);
}
