import { ruleKey } from "../rules/ruleKey.ts";
import type { Decoded } from "./decode.ts";
import type { Matched } from "./matches.ts";
import type { Handover } from "./outcome.ts";

/** Of a batch whose rules with state have to see it in order; undefined when none of them sees a transaction. */
export function handoverOf(decoded: Decoded, { left, tags, scores }: Matched, world: string): Handover | undefined {
  if (left.length === 0) return undefined;
  const numbers = Uint32Array.from(new Set(left.flatMap(({ seen }) => [...seen]))).sort();
  const places = new Map(Array.from(numbers, (number, i) => [number, i]));
  const frames = new Uint32Array(numbers.length);
  const shown = new Uint32Array(numbers.length);
  /** Where each copy comes from, and goes to. */
  const copies: { readonly from: number; readonly to: number }[] = [];
  let size = 0;
  const copied = (from: number): number => {
    const to = size;
    copies.push({ from, to });
    size += decoded.words[(from >> 2) + 1]!;
    return to;
  };
  const withFacts = new Set(left.flatMap(({ rule, seen }) => (rule.manifest.facts === undefined ? [] : [...seen])));
  for (const [i, number] of numbers.entries()) {
    const frame = decoded.frames[number]!;
    frames[i] = copied(frame);
    const its = decoded.shown?.[number] ?? frame;
    shown[i] = its !== frame && withFacts.has(number) ? copied(its) : frames[i]!;
  }
  const words = new Uint32Array(new SharedArrayBuffer(size));
  for (const { from, to } of copies)
    words.set(decoded.words.subarray(from >> 2, (from + decoded.words[(from >> 2) + 1]!) >> 2), to >> 2);
  const floats = (all: Float64Array): Float64Array => Float64Array.from(numbers, (number) => all[number]!);
  return {
    words,
    frames,
    shown,
    numbers,
    offsets: floats(decoded.offsets),
    times: floats(decoded.times),
    indexes: Uint32Array.from(numbers, (number) => decoded.indexes[number]!),
    events: floats(decoded.events),
    firstEvent: decoded.events[0]!,
    world,
    rules: left.map(({ rule, seen }) => ({ key: ruleKey(rule), seen: seen.map((number) => places.get(number)!) })),
    tags,
    scores,
  };
}
