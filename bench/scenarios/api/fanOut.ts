/** Every client gets every alert: messages that arrive a second, over all clients. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { figure } from "../../figure.ts";
import { forkServer } from "../../measure/forked.ts";
import type { Fill } from "../../measure/liveProcess.ts";
import { processCpu } from "../../measure/processCpu.ts";
import type { Context, Measured } from "../../scenario.ts";

const CLIENTS = 1_000;
/** A heartbeat or a greeting is shorter, an alert longer. */
const LEAST_ALERT_BYTES = 300;
/** A run that takes longer has lost messages. */
const PATIENCE_MS = 60_000;

export async function fanOut({ runs, quick, say }: Context): Promise<Measured> {
  const server = await forkServer("bench/measure/liveProcess");
  const fill: Fill = { pieces: quick ? 50 : 150, size: 4 };
  const expected = CLIENTS * fill.pieces * fill.size;
  let arrived = 0;
  let bytes = 0;
  const connect = async (): Promise<WebSocket> => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws/alerts`, { perMessageDeflate: false, skipUTF8Validation: true }); // biome-ignore format: one line
    await once(ws, "message"); // "connected"
    ws.on("message", (message: Buffer) => {
      if (message.length < LEAST_ALERT_BYTES) return;
      arrived++;
      bytes = message.length;
    });
    return ws;
  };
  const clients = await Promise.all(Array.from({ length: CLIENTS }, connect));
  const rates: number[] = [];
  const cpus: number[] = [];
  let wrong = 0;
  for (let run = 0; run <= runs; run++) {
    arrived = 0;
    const before = processCpu(server.child.pid!);
    const began = performance.now();
    server.child.send(fill);
    while (arrived < expected && performance.now() - began < PATIENCE_MS) await sleep(2);
    const seconds = (performance.now() - began) / 1_000;
    const cpu = ((processCpu(server.child.pid!) - before) * 1e6) / expected;
    await sleep(100); // one too many would come now
    wrong += Math.abs(expected - arrived);
    say(`fan-out: ${Math.round(expected / seconds)} messages/s, ${cpu.toFixed(1)} µs of CPU each`);
    if (run === 0) continue; // warms up
    rates.push(expected / seconds);
    cpus.push(cpu);
  }
  for (const ws of clients) ws.terminate();
  await server.close();
  return {
    checks: [{ name: `fan-out: messages missing or too many, ${CLIENTS} clients`, expected: 0, got: wrong }],
    figures: [
      figure(`WebSocket messages to ${CLIENTS} clients`, "messages/s", rates, { atLeast: 50_000 }),
      ...(cpus.every(Number.isFinite) ? [figure("WebSocket message: CPU of the API", "µs", cpus)] : []),
      figure("WebSocket message", "B", [bytes]),
    ],
  };
}
