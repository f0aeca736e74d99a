import { ruleKey } from "../rules/ruleKey.ts";
import type { Decoded } from "./decode.ts";
import type { Handover } from "./outcome.ts";
import type { Matched } from "./ruleStage.ts";

/** Of a batch whose rules with state have to see it in order; undefined when none of them sees a transaction. */
export function handoverOf(decoded: Decoded, { left, tags, scores }: Matched, world: string): Handover | undefined {
  if (left.length === 0) return undefined;
  const numbers = Uint32Array.from(new Set(left.flatMap(({ seen }) => [...seen]))).sort();
  const sizeOf = (number: number): number => decoded.words[(decoded.frames[number]! >> 2) + 1]!;
  const frames = new Uint32Array(numbers.length);
  let size = 0;
  for (let i = 0; i < numbers.length; i++) {
    frames[i] = size;
    size += sizeOf(numbers[i]!);
  }
  const words = new Uint32Array(new SharedArrayBuffer(size));
  const places = new Map<number, number>();
  for (let i = 0; i < numbers.length; i++) {
    const from = decoded.frames[numbers[i]!]! >> 2;
    words.set(decoded.words.subarray(from, from + (sizeOf(numbers[i]!) >> 2)), frames[i]! >> 2);
    places.set(numbers[i]!, i);
  }
  const floats = (all: Float64Array): Float64Array => Float64Array.from(numbers, (number) => all[number]!);
  return {
    words,
    frames,
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
