import { describe, expect, test } from "vitest";
import { createMemoryLimiter } from "./limiter.ts";
import type { Policy, Verdict } from "./policy.ts";

const START = 1_000_000 * 60_000; // the edge of a window
/** Requests at these ms from the start of a window: 1 allowed, 0 not. */
function play(policy: Policy, times: readonly number[]): { pattern: string; verdicts: Verdict[] } {
  let now = 0;
  const limiter = createMemoryLimiter(() => START + now);
  const verdicts = times.map((time) => {
    now = time;
    return limiter.take("key", policy) as Verdict;
  });
  return { pattern: verdicts.map(({ allowed }) => Number(allowed)).join(""), verdicts };
}
const at = (ms: number, times: number) => Array<number>(times).fill(ms);

describe("three ways to count", () => {
  test("fixed: a count that begins anew with each window, so that twice the limit passes around its edge", () => {
    const policy = { kind: "fixed", limit: 3, windowMs: 60_000 } as const;
    const { pattern, verdicts } = play(policy, [...at(59_000, 4), ...at(60_000, 4)]);
    expect(pattern).toBe("11101110");
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0, 2, 1, 0, 0]);
    expect(verdicts[3]).toEqual({ allowed: false, remaining: 0, resetMs: 1_000, retryMs: 1_000 });
  });

  test("sliding: what the window before still overlaps counts, and a refusal says when that has shrunk", () => {
    const policy = { kind: "sliding", limit: 4, windowMs: 60_000 } as const;
    expect(play(policy, [...at(59_000, 5), ...at(60_000, 2)]).pattern).toBe("1111000");
    // half of the window later, half of the four count
    const { pattern, verdicts } = play(policy, [...at(0, 4), ...at(90_000, 3)]);
    expect(pattern).toBe("1111110");
    const refused = verdicts.at(-1)!;
    expect(play(policy, [...at(0, 4), ...at(90_000, 3), 90_000 + refused.retryMs - 1]).pattern).toBe("11111100");
    expect(play(policy, [...at(0, 4), ...at(90_000, 3), 90_000 + refused.retryMs]).pattern).toBe("11111101");
    const full = play(policy, [...at(10_000, 5)]).verdicts.at(-1)!;
    expect(play(policy, [...at(10_000, 5), 10_000 + full.retryMs - 1]).pattern).toBe("111100");
    expect(play(policy, [...at(10_000, 5), 10_000 + full.retryMs]).pattern).toBe("111101");
    expect(play(policy, [...at(0, 4), ...at(180_000, 4)]).pattern).toBe("11111111"); // two windows later nothing does
  });

  test("bucket: tokens refill evenly up to the burst", () => {
    const policy = { kind: "bucket", limit: 60, windowMs: 60_000, burst: 2 } as const;
    const { pattern, verdicts } = play(policy, [...at(0, 3), 999, 1_000, 1_000, ...at(3_600_000, 3)]);
    expect(pattern).toBe("110010110");
    expect(verdicts[2]).toEqual({ allowed: false, remaining: 0, resetMs: 2_000, retryMs: 1_000 });
  });

  test("what is left is told without being counted", () => {
    for (const kind of ["fixed", "sliding", "bucket"] as const) {
      const limiter = createMemoryLimiter(() => START);
      const policy = { kind, limit: 2, windowMs: 60_000 };
      const left = () => (limiter.take("key", policy, 0) as Verdict).remaining;
      const seen = [left(), left()];
      for (let n = 0; n < 2; n++) {
        limiter.take("key", policy);
        seen.push(left());
      }
      expect(seen, kind).toEqual([2, 2, 1, 0]);
    }
  });

  test("a clock that goes back gives nothing away", () => {
    for (const kind of ["fixed", "sliding", "bucket"] as const) {
      const { pattern } = play({ kind, limit: 2, windowMs: 60_000 }, [...at(61_000, 3), ...at(59_000, 2)]);
      expect(pattern, kind).toBe("11000");
    }
  });
});
