/** Result records in a guest's memory, read as if an enemy had written them. Layout: see README. */
import { isUtf8 } from "node:buffer";
import type { RunLimits } from "./limits.ts";
import { RuleFault } from "./trap.ts";

export const KIND = { alert: 1, tag: 2, score: 3 } as const;

export interface Match {
  /** number of the transaction in the batch */
  readonly transaction: number;
  /** one of KIND */
  readonly kind: number;
  /** 0 info … 4 critical */
  readonly severity: number;
  /** UTF-8 of an alert or tag, a copy; empty for a score */
  readonly text: Uint8Array;
  /** 0 … 1; 0 for the other kinds */
  readonly score: number;
}

const RECORD_HEADER = 8;
const NO_TEXT = new Uint8Array(0);

/**
 * The records of one transaction, in memory from `from` up to `to`, both checked to lie in it.
 *
 * @throws RuleFault bad_result or too_many_results; then none of the transaction's records count
 */
export function readResults(view: DataView, from: number, to: number, transaction: number, limits: RunLimits): Match[] {
  const matches: Match[] = [];
  for (let at = from; at < to; ) {
    if (matches.length === limits.results) {
      throw new RuleFault(
        "too_many_results",
        `Cannot keep the results: more than ${limits.results} for one transaction`,
      );
    }
    if (to - at < RECORD_HEADER) throw bad(matches, `${to - at} bytes, expected a header of ${RECORD_HEADER}`);
    const kind = view.getUint8(at);
    const severity = view.getUint8(at + 1);
    const length = view.getUint32(at + 4, true);
    const text = at + RECORD_HEADER;
    if (length > to - text) throw bad(matches, `${length} bytes of content, ${to - text} are there`);
    if (severity > 4) throw bad(matches, `severity ${severity}, expected 0 to 4`);
    if (view.getUint16(at + 2, true) !== 0) throw bad(matches, "bytes 2 and 3 are not 0");
    if (kind === KIND.score) {
      const score = length === 8 ? view.getFloat64(text, true) : Number.NaN;
      if (!(score >= 0 && score <= 1))
        throw bad(matches, `score ${score} of ${length} bytes, expected 0 to 1 of 8 bytes`);
      matches.push({ transaction, kind, severity, text: NO_TEXT, score: score + 0 });
    } else if (kind === KIND.alert || kind === KIND.tag) {
      const most = kind === KIND.alert ? limits.alertBytes : limits.tagBytes;
      if (length > most) throw bad(matches, `text of ${length} bytes, expected at most ${most}`);
      const copy = new Uint8Array(length); // by hand: two views of the memory cost more than the few bytes
      let all = 0;
      for (let i = 0; i < length; i++) all |= copy[i] = view.getUint8(text + i);
      if (all > 0x7f && !isUtf8(copy)) throw bad(matches, "text is not UTF-8");
      matches.push({ transaction, kind, severity, text: copy, score: 0 });
    } else throw bad(matches, `kind ${kind}, expected 1 to 3`);
    at = text + Math.ceil(length / 8) * 8;
    if (at > to) throw bad(matches, "its padding is missing");
  }
  return matches;
}

const bad = (before: readonly Match[], why: string): RuleFault =>
  new RuleFault("bad_result", `Cannot read result ${before.length + 1}: ${why}`);
