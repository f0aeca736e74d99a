import { expect, test } from "vitest";
import { createHealth } from "./health.ts";

test("is healthy when every required part is up, and recovers by itself", async () => {
  const health = createHealth();
  let storeUp = false;
  health.register({
    name: "clickhouse",
    check: async () => (storeUp ? { up: true } : Promise.reject(new Error("connection refused"))),
  });
  const source = health.register({ name: "source" });
  health.register({ name: "redis", required: false });

  const before = await health.report();
  expect(before.healthy).toBe(false);
  expect(before.reasons).toEqual(["clickhouse: connection refused", "source: has not reported yet"]);

  storeUp = true;
  source.set({ up: true, facts: { lag: 0 } });
  const after = await health.report();
  expect(after.healthy).toBe(true);
  expect(after.components.source).toEqual({ up: true, facts: { lag: 0 }, required: true });
  expect(after.components.redis?.up).toBe(false);
});

test("does not wait for a check that hangs, nor start it twice", async () => {
  const health = createHealth({ timeoutMs: 20 });
  let started = 0;
  health.register({
    name: "stuck",
    check: () => {
      started++;
      return new Promise(() => {});
    },
  });
  expect((await health.report()).reasons).toEqual(["stuck: no answer within 20 ms"]);
  await health.report();
  expect(started).toBe(1);
});

test("refuses a second component of a name, and forgets a removed one", async () => {
  const health = createHealth();
  const component = health.register({ name: "a" });
  expect(() => health.register({ name: "a" })).toThrow('Cannot register "a"');
  component.remove();
  expect((await health.report()).healthy).toBe(true);
});
