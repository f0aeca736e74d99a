import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { freeBuffers } from "./freeBuffer.ts";

it("gives memory back without a collection, and leaves views empty", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect(); // what other tests have left must not go while we count,
  collect(); // nor while the first's is still being given back in the background
  await sleep(0); // the other side's end is known with the next turn
  const before = process.memoryUsage().arrayBuffers;
  const views = Array.from({ length: 4 }, () => new Uint8Array(64 << 20));
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(192 << 20);
  freeBuffers([...views, views[0]!].map(({ buffer }) => buffer));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  expect(views.map(({ length }) => length)).toEqual(Array(4).fill(0));
});
