/** The index of java/HashIndex.java in plain JavaScript: hashes of the equality, thresholds sorted under it, a mark a match. */
import type { JsonRule } from "../load/ruleMix.ts";
import { indexLine } from "./indexLine.ts";

/** What `JSON.parse` gives, as far as it is asked. Quantities are 0x and hex digits without leading zeros. */
export interface ParsedTransaction {
  readonly chainId: number;
  readonly from: string;
  readonly to: string | null;
  readonly input: string;
  readonly value: string;
  readonly gasPrice: string;
}

/** Thresholds of one key, ascending, as hex like the transactions': no number of JavaScript's holds them, and a BigInt costs an object each. */
interface Run {
  readonly above: readonly string[];
  readonly rules: readonly number[];
  readonly marks: Uint32Array;
}

const SELECTOR_CHARS = 10;

export function createHashIndex(rules: readonly JsonRule[]) {
  const bounds = new Map<string, { rule: number; above: bigint }[]>();
  for (const [rule, each] of rules.entries()) {
    const line = indexLine(each).split("\t");
    const key = line.slice(0, -1).join(" ");
    const all = bounds.get(key) ?? [];
    all.push({ rule, above: BigInt(line.at(-1)!) });
    bounds.set(key, all);
  }
  const byTo = new Map<string, Map<number, Run>>();
  const bySelector = new Map<string, Run>();
  const byFrom = new Map<string, Run>();
  for (const [key, all] of bounds) {
    all.sort((a, b) => (a.above < b.above ? -1 : a.above > b.above ? 1 : 0));
    const run: Run = {
      above: all.map(({ above }) => `0x${above.toString(16)}`),
      rules: all.map(({ rule }) => rule),
      marks: new Uint32Array(all.length + 1),
    };
    const [shape, first, second] = key.split(" ") as [string, string, string?];
    if (shape === "to") byTo.set(second!, (byTo.get(second!) ?? new Map<number, Run>()).set(Number(first), run));
    else (shape === "selector" ? bySelector : byFrom).set(first, run);
  }

  return {
    /** @returns how many rules match */
    match({ chainId, from, to, input, value, gasPrice }: ParsedTransaction): number {
      return (
        mark(to === null ? undefined : byTo.get(to)?.get(chainId), value) +
        mark(bySelector.get(input.slice(0, SELECTOR_CHARS)), gasPrice) +
        mark(byFrom.get(from), value)
      );
    },
    /** Matches by rule so far. */
    counts(): number[] {
      const counts = new Array<number>(rules.length).fill(0);
      for (const run of [...[...byTo.values()].flatMap((runs) => [...runs.values()]), ...bySelector.values(), ...byFrom.values()]) // biome-ignore format: one line
        for (let i = run.rules.length, more = 0; i > 0; i--) counts[run.rules[i - 1]!]! += more += run.marks[i]!;
      return counts;
    },
  };
}

/** How many thresholds the value is above. */
function mark(run: Run | undefined, value: string): number {
  if (run === undefined) return 0;
  let low = 0;
  for (let high = run.above.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (isLess(run.above[middle]!, value)) low = middle + 1;
    else high = middle;
  }
  run.marks[low]!++;
  return low;
}

const isLess = (a: string, b: string): boolean => (a.length === b.length ? a < b : a.length < b.length);
