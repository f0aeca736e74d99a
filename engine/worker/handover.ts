/**
 * What the first stage of a batch leaves for the second: the transactions that rules with state are to see. Batches pass the first in
 * any order and many at once, the second one after the other, lane by lane; what no such rule sees needs no second.
 */
import { ruleKey } from "../rules/ruleKey.ts";
import type { Decoded } from "./decode.ts";
import type { Matched } from "./ruleStage.ts";

export interface Handover {
  /** Frames back to back, in shared memory: the second stage may have to run again in another thread. */
  readonly words: Uint32Array;
  /** Of each: byte offset, number in the batch, and what `Decoded` has of it. */
  readonly frames: Uint32Array;
  readonly numbers: Uint32Array;
  readonly offsets: Float64Array;
  readonly times: Float64Array;
  readonly indexes: Uint32Array;
  readonly events: Float64Array;
  /** event_time of the batch's first transaction. */
  readonly firstEvent: number;
  /** By `ruleKey`: which of them the rule sees. */
  readonly rules: readonly { readonly key: string; readonly seen: Uint32Array }[];
  /** What other rules said of the batch's transactions, by their number there. */
  readonly tags: ReadonlyMap<number, readonly string[]>;
  readonly scores: ReadonlyMap<number, number>;
}

/** undefined when no rule was left out that sees a transaction. */
export function handoverOf(decoded: Decoded, { left, tags, scores }: Matched): Handover | undefined {
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
    rules: left.map(({ rule, seen }) => ({ key: ruleKey(rule), seen: seen.map((number) => places.get(number)!) })),
    tags,
    scores,
  };
}
