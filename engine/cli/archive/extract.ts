import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Command } from "commander";
import { recordOfRow } from "../../../clickhouse/frameOfRow.ts";
import { UsageError, UserError } from "../../ops/errors.ts";
import { type History, openHistory, periodOf } from "../rule/history.ts";
import { count } from "../terminal.ts";
import { moment, withArchive, withProgress } from "./openArchive.ts";

export function extractCommand(command: Command): void {
  command
    .argument("<file>", "recording to write: .ndjson or .ndjson.gz; it must not be there yet")
    .option("--from <time>", "2024-06-01 or 2024-06-01T12:00:00Z (default: the oldest)", moment)
    .option("--to <time>", "up to and without this time (default: the newest)", moment)
    .addHelpText(
      "after",
      `
Transactions of the archive, and of the store what is not archived yet, each as it was received and in the order of their positions. The
engine makes of them what it made of them before; in a WEIR_DATA of its own nothing counts twice.

Example:
  weir archive extract june.ndjson.gz --from 2024-06-01 --to 2024-06-02
  WEIR_DATA=/tmp/again weir replay june.ndjson.gz`,
    )
    .action((file: string, { from, to }: { from?: Date; to?: Date }) =>
      withArchive(async ({ store, archive: { place } }) => {
        if (!/\.ndjson(\.gz)?$/.test(file))
          throw new UsageError(`Cannot write "${file}": expected a name that ends in .ndjson or .ndjson.gz`);
        const point = (date: Date | undefined) => date && { at: date.getTime() * 1_000 };
        const [since, until] = [point(from), point(to)];
        const period = await periodOf(store, { ...(since && { from: since }), ...(until && { to: until }) }, place);
        const history = await openHistory(store, period, place);
        const written = await withProgress("extracting", "tx", (onProgress) => write(file, history, onProgress));
        process.stderr.write(`${count(written, "transaction")} in ${file}\n`);
      }),
    );
}

/** The file is there as a whole or not at all. */
async function write(
  file: string,
  history: History,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  await mustNotBe(file);
  const draft = `${file}.${process.pid}.new`;
  let written = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const { row } of history.rows()) {
      yield `${recordOfRow(row)}\n`;
      onProgress(++written, history.transactions);
    }
  }
  try {
    const to = createWriteStream(draft, { flush: true });
    if (file.endsWith(".gz")) await pipeline(Readable.from(lines()), createGzip(), to);
    else await pipeline(Readable.from(lines()), to);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error instanceof Error && "code" in error && "syscall" in error
      ? new UserError(`Cannot write "${file}": ${error.message}`, { cause: error })
      : error;
  }
  return written;
}

async function mustNotBe(file: string): Promise<void> {
  const found = await open(file).catch(() => undefined);
  if (found === undefined) return;
  await found.close();
  throw new UserError(`Cannot write "${file}": it is there already, expected a new name`);
}
