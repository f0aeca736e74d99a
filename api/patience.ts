/**
 * How long the server waits for its clients: by the turns of the event loop, not by the clock. A loop that stood still, as a busy machine's do,
 * has not read what was sent meanwhile. By the clock such a client would be late, and its connection reset with a request on the way.
 */
import type { Server, Socket } from "node:net";

export interface Patience {
  /** In ms, for a request's headers. */
  readonly headersTimeout: number;
  /** In ms, for all of a request. */
  readonly requestTimeout: number;
}

/** A wait is over after so many turns of the loop, each a twentieth of it after the one before: a standstill is one, however long it was. */
const TURNS = 20;

/** Of a server that Node made with the same limits. @returns what ends it */
export function waitByTurns(server: Server, patience: Patience): () => void {
  const timers = Object.entries(patience).map(([limit, ms]) => {
    const turns: number[] = [];
    // Node asks for its limits whenever it looks for who is late. 0: nobody is.
    const get = () => (turns.length > TURNS ? Math.ceil(performance.now() - turns[0]!) : 0);
    Object.defineProperty(server, limit, { get });
    return afterReading(ms / TURNS, () => {
      turns.push(performance.now());
      if (turns.length > TURNS + 1) turns.shift();
    });
  });
  // Nothing came on an open connection for as long as such ones are kept
  server.on("timeout", (socket: Socket) => {
    const { bytesRead } = socket;
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) socket.destroy();
    });
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** Of each turn of the loop, timers come first, then what is there to be read, then immediates. */
const afterReading = (ms: number, act: () => void) => setInterval(() => setImmediate(act), ms).unref();
