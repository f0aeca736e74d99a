import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { waitByTurns } from "./patience.ts";

/** In ms. Node keeps a connection open for a second more than it is told to. */
const [LIMIT, STANDSTILL] = [100, 1_300];

/** A client in a thread of its own: what it sends does not wait for our loop. Sends a request when it may, another once that is answered. */
const CLIENT = `
  const { parentPort, workerData: { port, sent } } = require("node:worker_threads");
  const said = () => { Atomics.add(sent, 0, 1); Atomics.notify(sent, 0); };
  const ask = () => socket.write("GET / HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n", said);
  const socket = require("node:net").connect(port, "127.0.0.1", ask);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    if (text.endsWith("one")) ask();
  });
  socket.on("error", (error) => (text += error.code));
  socket.on("close", () => parentPort.postMessage(text));
`;

const sent = new Int32Array(new SharedArrayBuffer(4));
/** Until the client has sent so many requests, and for longer than anybody is waited for. */
function standStill(requests: number): void {
  for (let n = Atomics.load(sent, 0); n < requests; n = Atomics.load(sent, 0)) Atomics.wait(sent, 0, n);
  Atomics.wait(sent, 0, Atomics.load(sent, 0), STANDSTILL);
}

const patience = { headersTimeout: LIMIT, requestTimeout: 2 * LIMIT };
const answers = ["one", "two"];
const server = createServer({ ...patience, connectionsCheckingInterval: LIMIT / 10 }, (_request, response) => {
  const answer = answers.shift();
  response.on("finish", () => answer === "one" && standStill(2)).end(answer);
});
server.keepAliveTimeout = LIMIT;
const stop = waitByTurns(server, patience);
afterEach(() => {
  stop();
  server.close();
});

test("a loop that stood still resets no connection whose request had come by then; one on which nothing comes is closed", async () => {
  server.on("connection", () => standStill(1));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = new Worker(CLIENT, { eval: true, workerData: { port: (server.address() as AddressInfo).port, sent } });
  const [text] = (await once(client, "message")) as [string];
  expect(text).toMatch(/^HTTP\/1\.1 200 .*oneHTTP\/1\.1 200 .*two$/s);
});
