import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openHttpLoad } from "./httpLoad.ts";
import { openLoop, percentile } from "./openLoop.ts";

test("a percentile is the sample that so many are not above", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([50, 99, 100]);
  expect(percentile([7], 0.5)).toBe(7);
  expect(() => percentile([], 0.5)).toThrow("there are no samples");
});

test("everything is fired, each with the time at which it was due, also what a stall has made late", async () => {
  const dues: number[] = [];
  await openLoop({
    perSecond: 1_000,
    seconds: 0.1,
    fire(i, due) {
      dues.push(due);
      if (i === 10) for (const end = performance.now() + 30; performance.now() < end; );
    },
  });
  expect(dues).toHaveLength(100);
  expect(dues.map((due) => Math.round(due - dues[0]!))).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("requests that are not answered come to an end, and count as given up", async () => {
  const server = createServer(({ url }, response) => {
    if (url === "/0") response.end("here");
    if (url === "/1") response.writeHead(404).end();
    if (url === "/2") response.destroy();
    if (url === "/part") response.write("a part of it");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const requests = await openHttpLoad();
  const load = (seconds: number, paths: readonly string[], limitMs?: number) =>
    requests.run({
      perSecond: 1_000,
      seconds,
      urls: paths.map((path) => `http://127.0.0.1:${port}/${path}`),
      ...(limitMs && { limitMs }),
    });
  expect(await load(0.003, ["0", "1", "2"])).toMatchObject({ answered: 2, wrong: 2, givenUp: 0, bytes: 2 });
  const { latencies, ...counts } = await load(0.1, ["nothing", "part"], 50);
  expect(counts).toMatchObject({ answered: 0, wrong: 0, givenUp: 100 });
  expect(latencies).toEqual(Array(100).fill(50));
  await requests.close();
  server.closeAllConnections();
  server.close();
});
