import { describe, expect, it } from "vitest";
import { createBreaker } from "./breaker.ts";

const batch = (evaluations: number, traps: number, rule = "whale", version = 1) => ({
  rule,
  version,
  evaluations,
  traps,
});

describe("createBreaker()", () => {
  it("takes a rule version out at so many failures within so many evaluations, once", () => {
    const breaker = createBreaker({ errors: 10, evaluations: 100 });
    expect(breaker.observe([batch(50, 9)])).toEqual([]);
    expect(breaker.observe([batch(20, 1), batch(20, 1, "other")])).toEqual([
      {
        rule: "whale",
        version: 1,
        errors: 10,
        evaluations: 70,
        reason: "Failed on 10 of its last 70 transactions: at 10 of 100 a rule is taken out",
      },
    ]);
    expect(breaker.observe([batch(100, 100)])).toEqual([]); // is known
  });

  it("lets failures fall out of the window as evaluations go by, and not otherwise", () => {
    const steady = (gap: number) => {
      const breaker = createBreaker({ errors: 3, evaluations: 100 });
      return Array.from({ length: 50 }, () => breaker.observe([batch(gap, 1)]).length).reduce((a, b) => a + b);
    };
    expect(steady(50)).toBe(0); // two within any 100
    expect(steady(49)).toBe(1);
    const breaker = createBreaker({ errors: 3, evaluations: 100 });
    breaker.observe([batch(10, 2)]);
    for (let n = 0; n < 9; n++) breaker.observe([batch(11, 0)]);
    expect(breaker.observe([batch(1, 1)])).toEqual([]); // 100 later
    breaker.observe([batch(10, 1)]);
    for (let n = 0; n < 1_000; n++) expect(breaker.observe([])).toEqual([]); // it saw nothing
    expect(breaker.observe([batch(1, 1)])).toHaveLength(1);
  });

  it("takes a batch longer than the window as what the window would have of it", () => {
    const decide = (traps: number) => createBreaker({ errors: 100, evaluations: 1_000 }).observe([batch(4_000, traps)]);
    expect(decide(399)).toEqual([]);
    expect(decide(400)).toMatchObject([{ errors: 100, evaluations: 1_000 }]);
  });

  it("keeps versions apart, and forgets on release", () => {
    const breaker = createBreaker({ errors: 2, evaluations: 10 });
    expect(breaker.observe([batch(1, 1), batch(1, 1, "whale", 2)])).toEqual([]);
    expect(breaker.observe([batch(1, 1)])).toMatchObject([{ version: 1 }]);
    breaker.release("whale", 1);
    expect(breaker.observe([batch(1, 1)])).toEqual([]);
    expect(breaker.observe([batch(1, 1), batch(1, 1, "whale", 2)])).toMatchObject([{ version: 1 }, { version: 2 }]);
  });

  it("decides the same for the same stream", () => {
    const decisions = () => {
      const breaker = createBreaker({ errors: 20, evaluations: 200 });
      return Array.from({ length: 500 }, (_, n) =>
        breaker.observe([batch(1 + (n % 17), n % 23 === 0 ? 1 : 0), batch(3, n > 300 ? 1 : 0, "late")]),
      );
    };
    expect(decisions()).toEqual(decisions());
    expect(decisions().flat()).toMatchObject([{ rule: "late" }]);
  });

  it("refuses numbers that mean nothing", () => {
    for (const options of [
      { errors: 0 },
      { errors: 11, evaluations: 10 },
      { errors: 1.5 },
      { evaluations: Number.NaN },
    ])
      expect(() => createBreaker(options)).toThrow(/^Cannot break at/);
  });
});
