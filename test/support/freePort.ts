/** For servers that are told their port. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A port of the loopback address where nobody listens. It lies below those that Linux hands out (32768 and up), which any
 * connection may have got before the server listens, or while it is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
