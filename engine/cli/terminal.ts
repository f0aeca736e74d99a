/** What a person sees: progress bars and tables on a terminal. All of it goes to stderr, or to stdout where it is the answer. */
import { once } from "node:events";

export interface Progress {
  update(done: number, total: number): void;
  end(): void;
}

const WIDTH = 32;

/** A bar with count and rate, redrawn in place on a terminal; nothing in a pipe. */
export function createProgress(label: string, unit: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  let began: number | undefined;
  let first = 0;
  let drawn = 0;
  let last: [number, number] = [0, 0];
  const draw = (done: number, total: number): void => {
    const now = performance.now();
    began ??= now;
    const part = total === 0 ? 1 : done / total;
    const filled = Math.round(part * WIDTH);
    const rate = Math.round(((done - first) * 1000) / Math.max(1, now - began));
    const counts = `${group(done)} / ${group(total)}   ${group(rate)} ${unit}/s`;
    stream.write(`\r${label}  ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}  ${counts}\x1b[K`);
    drawn = now;
  };
  return {
    update(done, total) {
      if (!stream.isTTY) return;
      if (began === undefined) first = done;
      last = [done, total];
      if (began === undefined || performance.now() - drawn > 100) draw(done, total);
    },
    end() {
      if (!stream.isTTY || began === undefined) return;
      draw(...last);
      stream.write("\n");
    },
  };
}

/** 12408 as 12,408 */
export const group = (number: number): string => number.toLocaleString("en-US");

/** 1 dead letter, 2 dead letters */
export const count = (number: number, noun: string): string => `${group(number)} ${noun}${number === 1 ? "" : "s"}`;

/** Rows as aligned columns with a head; numbers to the right. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const first = rows[0];
  if (!first) return "(no rows)\n";
  const heads = Object.keys(first);
  const cells = rows.map((row) => heads.map((head) => cell(row[head])));
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]!.length)));
  const right = heads.map((_, i) => rows.every((row) => typeof row[heads[i]!] === "number"));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (right[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [line(heads), line(widths.map((width) => "─".repeat(width))), ...cells.map(line), ""].join("\n");
}

/** What a middle column may have of a narrow table: a value may be a list of any length. */
const MIDDLE = 28;
const LEAST = 20;

/** Fits a terminal: the columns between the first and the last are cut, the last goes on in the lines below. */
export function narrowTable(rows: readonly Readonly<Record<string, string>>[], width = 120): string {
  const heads = Object.keys(rows[0] ?? {});
  const last = heads.at(-1);
  if (last === undefined) return table(rows);
  const cut = rows.map((row) =>
    Object.fromEntries(heads.map((head, i) => [head, i === 0 || head === last ? row[head]! : ellipsis(row[head]!)])),
  );
  const others = heads
    .slice(0, -1)
    .reduce((sum, head) => sum + 2 + Math.max(head.length, ...cut.map((row) => row[head]!.length)), 0);
  const room = Math.max(LEAST, width - others);
  const blank = Object.fromEntries(heads.map((head) => [head, ""]));
  return table(
    cut.flatMap((row) =>
      wrap(row[last]!, room).map((text, i) => (i === 0 ? { ...row, [last]: text } : { ...blank, [last]: text })),
    ),
  );
}

const ellipsis = (text: string): string => (text.length > MIDDLE ? `${text.slice(0, MIDDLE - 1)}…` : text);

/** Words in lines of at most `width`, unless a word is longer; at least one line. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  // Rows hold what strangers sent: nothing of it may steer the terminal.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "·");
}

/** The answer of a command: a table on a terminal, a JSON line a row in a pipe or with --json. */
export function printRows(rows: readonly Readonly<Record<string, unknown>>[], { json }: { json: boolean }): void {
  if (process.stdout.isTTY && !json) process.stdout.write(table(rows));
  else for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
}

/** A long answer, as fast as the reader takes it. */
export async function printBytes(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
}
