import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ahead } from "./ahead.ts";

test("what is made some at a time comes in its order, and never more than that is under way", async () => {
  let underWay = 0;
  let most = 0;
  const make = async (i: number): Promise<number> => {
    most = Math.max(most, ++underWay);
    for (let turns = i % 2 === 0 ? 5 : 1; turns > 0; turns--) await turn();
    underWay--;
    return i;
  };
  const made: number[] = [];
  for await (const i of ahead({ first: 3, end: 9, together: 2 }, make)) made.push(i);
  expect({ made, most }).toEqual({ made: [3, 4, 5, 6, 7, 8], most: 2 });
});

test("the first that fails is the error; the others are told to stop, and have when it is thrown", async () => {
  const stopped: number[] = [];
  const untilStopped = (i: number, signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        stopped.push(i);
        reject(new Error(`${i} was stopped`));
      }),
    );
  const make = async (i: number, signal: AbortSignal): Promise<number> => {
    if (i === 1) throw new Error("the disk is full");
    return untilStopped(i, signal);
  };
  await expect(ahead({ first: 0, end: 5, together: 3 }, make).next()).rejects.toThrow("the disk is full");
  expect(stopped).toEqual([0, 2]);
});

test("who leaves the loop ends what is under way", async () => {
  let ended = 0;
  const make = async (i: number, signal: AbortSignal): Promise<number> => {
    while (i > 0 && !signal.aborted) await turn();
    ended++;
    return i;
  };
  for await (const _ of ahead({ first: 0, end: 9, together: 4 }, make)) break;
  expect(ended).toBe(4);
});
