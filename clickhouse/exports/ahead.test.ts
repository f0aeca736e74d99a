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

test("one that takes long, and who is busy with another, hold the next ones back only once as many wait", async () => {
  const begun: number[] = [];
  let finish = (): void => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const make = async (i: number): Promise<number> => {
    begun.push(i);
    if (i === 1) await slow;
    return i;
  };
  const made = ahead({ first: 0, end: 9, together: 2 }, make);
  await made.next();
  await turn(); // nobody asks for more
  expect(begun).toEqual([0, 1, 2, 3]);
  const second = made.next();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  finish();
  expect(await second).toEqual({ done: false, value: 1 });
  await made.return();
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
  let [begun, ended] = [0, 0];
  const make = async (i: number, signal: AbortSignal): Promise<number> => {
    begun++;
    while (i > 0 && !signal.aborted) await turn();
    ended++;
    return i;
  };
  for await (const _ of ahead({ first: 0, end: 9, together: 4 }, make)) break;
  await turn();
  expect({ begun, ended }).toEqual({ begun: 5, ended: 5 });
});
