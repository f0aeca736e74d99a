import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { httpLoad } from "./httpLoad.ts";

test("a connection is not used up to the second in which the server would close it", async () => {
  let connections = 0;
  const server = createServer((_request, response) => {
    response.setHeader("keep-alive", "timeout=2").end("here");
  });
  server.on("connection", () => connections++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answers = await httpLoad({ perSecond: 0.5, seconds: 5, urls: [url] }); // after 0, 2 and 4 s
  const soon = await httpLoad({ perSecond: 2, seconds: 1, urls: [url] });
  server.close();
  expect(answers).toMatchObject({ answered: 3, wrong: 0, givenUp: 0, bytes: 4 });
  expect(soon).toMatchObject({ answered: 2, wrong: 0 });
  expect(connections).toBe(3 + 1);
});
