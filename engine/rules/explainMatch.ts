/** Why some log, or the call data, is what a condition asks for: the log that is, or the one that comes nearest. */

import { argumentReader, type Span, shownArgument } from "../condition/abi/readArgument.ts";
import { type Condition, type Match, predicatesOf } from "../condition/condition.ts";
import type { FrameBytes } from "../frame/readFrame.ts";
import { LOG } from "../frame/schema.ts";
import type { Lists } from "../world/world.ts";
import type { Explanation } from "./explanation.ts";
import { visitor, whereTest } from "./index/match.ts";

/** Bytes of data and text that are shown. */
const SHOWN_BYTES = 68;

/** @param frame byte offset of the frame */
export function explainMatch(match: Match, frames: FrameBytes, frame: number, lists: Lists): Explanation {
  let nearest: { readonly where: Explanation; readonly log: number; readonly met: number } | undefined;
  const one = { bytes: frames.bytes, words: frames.u32, offsets: Uint32Array.of(frame), count: 1 };
  const holds = visitor(match)(one, frame >> 2, (bytes, log, start, end) => {
    const where = explainWhere(match.where, (condition) => {
      const span: Span = { at: 0, end: 0 };
      const { type } = condition.argument!;
      const there = argumentReader(condition.argument!)(bytes, log, start, end, span);
      return {
        holds: whereTest(condition, (name) => () => lists.get(name)!)(bytes, log, start, end),
        actual: !there ? null : type.of === "presence" ? true : shownArgument(one, type, span, SHOWN_BYTES),
      };
    });
    const met = comparisonsMet(where);
    if (!nearest || where.holds || met > nearest.met) nearest = { where, log, met };
    return where.holds;
  });
  const { kind, text } = match.match;
  const log_index = nearest && kind === "event" ? frames.u32[nearest.log + (LOG.logIndex >> 2)]! : null;
  const where = nearest?.where ?? explainWhere(match.where, () => ({ holds: false, actual: null }));
  return { holds, match: text, log_index, where };
}

type Leaf = Extract<Condition, { operator: unknown }>;

function explainWhere(where: Condition, leaf: (condition: Leaf) => Pick<Explanation, "holds" | "actual">): Explanation {
  if ("and" in where) {
    const and = where.and.map((each) => explainWhere(each, leaf));
    return { holds: and.every(({ holds }) => holds), and };
  }
  if ("or" in where) {
    const or = where.or.map((each) => explainWhere(each, leaf));
    return { holds: or.some(({ holds }) => holds), or };
  }
  const [condition] = predicatesOf(where);
  const { field, operator, value } = condition!;
  const { holds, actual = null } = leaf(condition!);
  return { holds, field, operator, value, actual };
}

const comparisonsMet = ({ holds, and, or }: Explanation): number =>
  (and ?? or)?.reduce((sum, each) => sum + comparisonsMet(each), 0) ?? (holds ? 1 : 0);
