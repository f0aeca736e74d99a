/** Result records in a guest's memory, read as if an enemy had written them. Layout: see README. */
import { isUtf8 } from "node:buffer";
import type { RunLimits } from "./limits.ts";
import { KIND, type RuleRun } from "./ruleRun.ts";
import { RuleFault } from "./trap.ts";

const RECORD_HEADER = 8;
const NOT_ASCII = 0x80808080;
const utf8 = new TextDecoder();

/** Two words as the double that they are. */
const halves = new Uint32Array(2);
const double = new Float64Array(halves.buffer);

/** A guest's memory in two views. */
export interface MemoryViews {
  readonly words: Uint32Array;
  readonly bytes: Buffer;
}

/**
 * Adds the records of one transaction to the run's matches: in the memory from byte `from` up to `to`, both checked to lie in it, multiples of 8.
 *
 * @param texts whether anybody reads them: they are checked in any case
 * @throws RuleFault bad_result or too_many_results; then none of the transaction's records count: what was added has to go
 */
export function readResults(
  { words, bytes }: MemoryViews,
  from: number,
  to: number,
  transaction: number,
  limits: RunLimits,
  texts: boolean,
  run: RuleRun,
): void {
  const before = run.count;
  for (let at = from; at < to; ) {
    if (run.count - before === limits.results) {
      throw new RuleFault(
        "too_many_results",
        `Cannot keep the results: more than ${limits.results} for one transaction`,
      );
    }
    const number = run.count - before + 1;
    if (to - at < RECORD_HEADER) throw bad(number, `${to - at} bytes, expected a header of ${RECORD_HEADER}`);
    const header = words[at >> 2]!;
    const kind = header & 0xff;
    const severity = (header >> 8) & 0xff;
    const length = words[(at >> 2) + 1]!;
    const text = at + RECORD_HEADER;
    if (length > to - text) throw bad(number, `${length} bytes of content, ${to - text} are there`);
    if (severity > 4) throw bad(number, `severity ${severity}, expected 0 to 4`);
    if (header >>> 16 !== 0) throw bad(number, "bytes 2 and 3 are not 0");
    if (kind === KIND.score) {
      halves[0] = words[text >> 2]!;
      halves[1] = words[(text >> 2) + 1]!;
      const score = length === 8 ? double[0]! : Number.NaN;
      if (!(score >= 0 && score <= 1))
        throw bad(number, `score ${score} of ${length} bytes, expected 0 to 1 of 8 bytes`);
      run.add(transaction, kind, severity, "", score + 0);
    } else if (kind === KIND.alert || kind === KIND.tag) {
      const most = kind === KIND.alert ? limits.alertBytes : limits.tagBytes;
      if (length > most) throw bad(number, `text of ${length} bytes, expected at most ${most}`);
      let all = 0;
      for (let i = text >> 2; i << 2 < text + length; i++) all |= words[i]!; // of padding too, which may make it slower
      const plain = (all & NOT_ASCII) === 0;
      const end = text + length;
      if (!plain && !isUtf8(bytes.subarray(text, end))) throw bad(number, "text is not UTF-8");
      const read = !texts ? "" : plain ? bytes.toString("latin1", text, end) : utf8.decode(bytes.subarray(text, end));
      run.add(transaction, kind, severity, read, 0);
    } else throw bad(number, `kind ${kind}, expected 1 to 3`);
    at = text + Math.ceil(length / 8) * 8;
    if (at > to) throw bad(number + 1, "its padding is missing");
  }
}

const bad = (number: number, why: string): RuleFault =>
  new RuleFault("bad_result", `Cannot read result ${number}: ${why}`);
