import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "./errors.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Serves `/metrics` on loopback, for processes that have no API.
 * @param port 0: any free one @throws UserError when the port is taken
 */
export async function serveMetrics(
  { registry, text }: Pick<Metrics, "registry" | "text">,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    void text().then((body) => response.setHeader("content-type", registry.contentType).end(body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new UserError(`Cannot serve metrics on port "${port}": ${error.code}, expected a free port`)),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
