/** An exporter of somebody's (engine/extensions) as a format of exports: ClickHouse gives JSON lines, the exporter makes a file's bytes of them. */
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Exporter, Row } from "../../engine/extensions/extension.ts";
import { messageOf, UserError } from "../../engine/ops/errors.ts";
import type { Format } from "./formats.ts";
import type { StoredColumn } from "./storedTable.ts";

const PAGE = 1_000;

export const customFormat = (exporter: Exporter): Format => ({
  name: exporter.name,
  extension: exporter.extension,
  mediaType: "application/octet-stream",
  shape: "nested",
  from: "JSONEachRow",
  compressions: ["none", "gzip"],
  settings: () => ({
    date_time_output_format: "iso",
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_decimals: 1,
    output_format_json_validate_utf8: 1, // messages are strangers' bytes
  }),
  encode: (lines, columns) => Readable.from(write(exporter, lines, columns), { objectMode: false }),
});

async function* write(exporter: Exporter, lines: Readable, columns: readonly StoredColumn[]): AsyncGenerator<Buffer> {
  /** What the store said, which is no fault of the exporter's. */
  let broken: { readonly error: unknown } | undefined;
  let isAtEnd = false;
  async function* pages(): AsyncGenerator<readonly Row[]> {
    try {
      yield* pagesOf(lines);
    } catch (error) {
      broken = { error };
      throw error;
    }
    isAtEnd = true;
  }
  const cannot = (problem: string): UserError =>
    new UserError(`Cannot export with "${exporter.name}": ${problem}`, { next: "Mend the module in WEIR_EXTENSIONS" });
  try {
    for await (const piece of exporter.write(pages(), { columns })) {
      if (typeof piece !== "string" && !(piece instanceof Uint8Array))
        throw new TypeError(`it gave a ${typeof piece}, expected text or bytes`);
      yield Buffer.from(piece);
    }
  } catch (error) {
    if (broken) throw broken.error;
    throw cannot(messageOf(error));
  }
  if (!isAtEnd) throw cannot("it ended before it had taken all pages, expected a file of all rows");
}

async function* pagesOf(lines: Readable): AsyncGenerator<readonly Row[]> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let page: Row[] = [];
  for await (const chunk of lines as AsyncIterable<Buffer>) {
    const complete = (rest + decoder.write(chunk)).split("\n");
    rest = complete.pop()!;
    for (const line of complete) {
      page.push(JSON.parse(line) as Row);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}
