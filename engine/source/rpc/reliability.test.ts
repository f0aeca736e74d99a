import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";
import { createBreaker } from "./breaker.ts";
import { costOf, observed, UNKNOWN } from "./endpointHealth.ts";
import { createPace } from "./pace.ts";

describe("createBreaker()", () => {
  function broken() {
    const clock = { ms: 0 };
    const breaker = createBreaker({ now: () => clock.ms });
    for (let failure = 0; failure < 5; failure++) breaker.failure();
    return { breaker, clock };
  }

  it("opens with the fifth failure in a row, not with five in all", () => {
    const breaker = createBreaker({ now: () => 0 });
    for (let failure = 0; failure < 4; failure++) breaker.failure();
    breaker.success();
    for (let failure = 0; failure < 4; failure++) breaker.failure();
    expect([breaker.state(), breaker.allows()]).toEqual(["closed", true]);
    breaker.failure();
    expect([breaker.state(), breaker.allows()]).toEqual(["open", false]);
  });

  it("lets one call through after 60 s, and closes when it succeeds", () => {
    const { breaker, clock } = broken();
    clock.ms = 59_999;
    expect(breaker.allows()).toBe(false);
    clock.ms = 60_000;
    expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
    breaker.success();
    expect([breaker.state(), breaker.allows(), breaker.allows()]).toEqual(["closed", true, true]);
  });

  it("is open for another 60 s when that call fails", () => {
    const { breaker, clock } = broken();
    clock.ms = 60_000;
    breaker.allows();
    breaker.failure();
    clock.ms = 119_999;
    expect(breaker.allows()).toBe(false);
    clock.ms = 120_000;
    expect(breaker.allows()).toBe(true);
  });
});

describe("backoffMs()", () => {
  it("doubles up to its most, half of it by chance", () => {
    expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, 0))).toEqual([125, 250, 500, 1000]);
    expect(backoffMs(2, 0.5)).toBe(750);
    expect(backoffMs(1_000_000, 0.999)).toBeCloseTo(29_985);
  });
});

describe("createPace()", () => {
  it.each([
    [10, 21, 2_000],
    [1_000, 2_100, 2_000],
    [0.5, 3, 4_000],
  ])("at %f/s the %i. call goes after %f ms", async (perSecond, calls, expected) => {
    let clock = 0;
    const pace = createPace({ perSecond, now: () => clock, wait: async (ms) => (clock += ms) });
    for (let call = 0; call < calls; call++) await pace();
    expect(clock).toBeCloseTo(expected, 0);
  });

  it("does not save up what was not used", async () => {
    let clock = 0;
    const pace = createPace({ perSecond: 10, now: () => clock, wait: async (ms) => (clock += ms) });
    await pace();
    clock = 60_000;
    for (let call = 0; call < 11; call++) await pace();
    expect(clock).toBeCloseTo(61_000);
  });
});

describe("costOf()", () => {
  const quick = { latencyMs: 20, errors: 0, head: 100 };
  it("puts the quicker first, unless it fails or lags", () => {
    const slow = { latencyMs: 90, errors: 0, head: 100 };
    expect(costOf(quick, 100)).toBeLessThan(costOf(slow, 100));
    expect(costOf({ ...quick, errors: 0.5 }, 100)).toBeGreaterThan(costOf(slow, 100));
    expect(costOf({ ...quick, head: 99 }, 100)).toBeGreaterThan(costOf(slow, 100));
  });

  it("tries one that is not known yet before all that are", () => {
    expect(costOf(UNKNOWN, 100)).toBeLessThan(costOf(quick, 100));
  });

  it("forgets failures as calls succeed", () => {
    let health = quick;
    for (let call = 0; call < 5; call++) health = { ...health, ...observed(health, 20, false) };
    const failing = costOf(health, 100);
    for (let call = 0; call < 20; call++) health = { ...health, ...observed(health, 20, true) };
    expect(failing).toBeGreaterThan(5 * costOf(quick, 100));
    expect(costOf(health, 100)).toBeLessThan(1.5 * costOf(quick, 100));
  });
});
