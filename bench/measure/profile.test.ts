import { expect, test } from "vitest";
import { selfTimes } from "./profile.ts";

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

test("a sample belongs to the innermost room on its stack, and idle, gc and native are told apart", () => {
  const nodes = [
    node(1, "(root)", "", [2, 3, 4, 5]),
    node(2, "(idle)", ""),
    node(3, "(garbage collector)", ""),
    node(4, "(program)", ""),
    node(5, "runPipeline", "file:///x/engine/dispatch/pipeline.ts", [6, 7]),
    node(6, "produce", "file:///x/engine/kafka/producer.ts", [8]),
    node(7, "map", "", []),
    node(8, "set", "node:buffer", []),
  ];
  const samples = [2, 3, 4, 5, 6, 7, 8];
  const timeDeltas = [1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6];
  expect(selfTimes({ nodes, samples, timeDeltas })).toEqual({ idle: 1, gc: 2, native: 3, dispatch: 10, publish: 12 });
});

test("what no room did is other, and a clock that went back counts nothing", () => {
  const nodes = [node(1, "(root)", "", [2]), node(2, "processTimers", "node:internal/timers")];
  expect(selfTimes({ nodes, samples: [2, 2], timeDeltas: [1e6, -5] })).toEqual({ other: 1 });
});
