/**
 * Many connections over PGlite's one session. Whoever sends a unit holds the session until the backend is outside of any
 * transaction, so units and transactions of two clients never mix. (pglite-socket hands it single messages as they arrive:
 * two clients' Parse and Bind of the unnamed statement would meet. Hence this.)
 *
 * What a session remembers beyond a transaction (SET, prepared names, session locks) all clients share: do without.
 * There is no password: the socket lies in a folder that only its owner may enter.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { PGlite } from "@electric-sql/pglite";
import { createUnits, fatal, simpleQuery } from "./messages.ts";

/** Of all engines and commands that use the folder. */
const MAX_CONNECTIONS = 100;
const ROLLBACK = simpleQuery("ROLLBACK");

export interface PostgresServer {
  readonly net: Server;
  /** Hangs up on everybody; what was not committed is rolled back. */
  close(): Promise<void>;
}

type Backend = Pick<PGlite, "execProtocolRawStream" | "isInTransaction">;

/** @param idleInTransactionMs how long a client may hold a transaction open without a word: all others wait for it */
export function createPostgresServer(backend: Backend, { idleInTransactionMs = 30_000 } = {}): PostgresServer {
  const session = createTurns();
  const connections = new Map<Socket, Promise<void>>();

  async function serve(socket: Socket): Promise<void> {
    const units = createUnits();
    /** While we hold the session: gives it back. */
    let release: (() => void) | undefined;
    socket.setTimeout(0);
    socket.on("timeout", () => socket.destroy(new Error("idle in a transaction")));
    socket.on("error", () => {}); // whoever hangs up has closed: see below
    try {
      for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
        for (const received of units(bytes as Buffer)) {
          if (received.kind === "end") return;
          if (received.kind === "encryption") {
            socket.write("N");
            continue;
          }
          release ??= await session();
          socket.setTimeout(0);
          await backend.execProtocolRawStream(received.bytes, {
            onRawData: (answer) => void socket.write(Buffer.from(answer)), // a copy: it is the backend's memory
          });
          if (backend.isInTransaction()) socket.setTimeout(idleInTransactionMs);
          else {
            release();
            release = undefined;
          }
        }
      }
    } catch (error) {
      if (!socket.destroyed) socket.write(fatal("08P01", (error as Error).message));
    } finally {
      if (release) {
        if (backend.isInTransaction()) await backend.execProtocolRawStream(ROLLBACK, { onRawData: () => {} });
        release();
      }
      socket.destroySoon();
    }
  }

  const net = createServer((socket) => {
    if (connections.size >= MAX_CONNECTIONS) {
      const message = `Cannot take another connection: ${connections.size} are open, expected at most ${MAX_CONNECTIONS}`;
      return void socket.end(fatal("53300", message));
    }
    connections.set(
      socket,
      serve(socket).finally(() => connections.delete(socket)),
    );
  });
  return {
    net,
    async close() {
      net.close();
      for (const socket of connections.keys()) socket.destroy();
      await Promise.allSettled(connections.values());
    },
  };
}

/** One at a time, in the order they asked. */
function createTurns(): () => Promise<() => void> {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    const before = last;
    let leave = (): void => {};
    last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  };
}
