import { describe, expect, it } from "vitest";
import { createCommitPace } from "./commitPace.ts";

/** Commits as soon as each is due and the last took 10 ms. @returns how far apart they come to be, in ms */
function pacedAt(perSecond: number): number {
  const pace = createCommitPace();
  let [now, last] = [1_000, 0];
  let apart = 0;
  for (let i = 0; i < 50; i++) {
    now += Math.max(10, pace.wait(now));
    apart = now - last;
    pace.committed(now, (perSecond / 1_000) * apart);
    last = now;
  }
  return apart;
}

describe("createCommitPace", () => {
  it("asks for no pause before the first commit, nor once nothing came for a while", () => {
    const pace = createCommitPace();
    expect(pace.wait(0)).toBeLessThanOrEqual(0);
    pace.committed(0, 50_000);
    expect(pace.wait(1_000)).toBeLessThanOrEqual(0);
  });

  it("keeps commits 25 ms apart where little comes", () => {
    expect(pacedAt(100)).toBe(25);
    expect(pacedAt(10_000)).toBe(25);
  });

  it("asks for as many ms as thousands of transactions come a second, and no more than 100", () => {
    expect(pacedAt(50_000)).toBeCloseTo(50);
    expect(pacedAt(100_000)).toBeCloseTo(100);
    expect(pacedAt(700_000)).toBeCloseTo(100);
  });

  it("asks for none once nothing has been under way for longer than reads are apart", () => {
    const pace = createCommitPace();
    pace.committed(0, 1_000);
    pace.committed(100, 70_000);
    expect(pace.wait(120, 120)).toBe(30);
    expect(pace.wait(150, 120)).toBe(0);
    expect(pace.wait(195, 190)).toBe(-5); // most of the 70 ms are over
    pace.committed(200, 10);
    expect(pace.wait(210, 200)).toBe(15); // 25 ms behind the last, before the lull
  });

  it("asks for none once nothing is under way and most of the pause is over", () => {
    const pace = createCommitPace();
    pace.committed(0, 10);
    pace.committed(100, 1_000); // 25 ms
    expect(pace.wait(114, 114)).toBe(11);
    expect(pace.wait(115, 115)).toBe(0);
    expect(pace.wait(118, 115)).toBe(-3);
    pace.committed(200, 8_000); // 80 ms
    expect(pace.wait(247, 247)).toBe(30);
    expect(pace.wait(248, 248)).toBe(0);
  });

  it("forgets a load with the first commit of little", () => {
    const pace = createCommitPace();
    pace.committed(0, 1_000);
    pace.committed(100, 70_000);
    expect(pace.wait(100)).toBe(100);
    pace.committed(200, 10);
    expect(pace.wait(200)).toBe(25);
  });
});
