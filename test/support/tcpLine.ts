import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpLine {
  readonly port: number;
  /** How many connections were made so far. */
  connections(): number;
  /** Closes all connections; new ones are let through. */
  cut(): void;
  /** From now on nothing more comes through the connections that there are, and nobody hears of it; new ones are let through. */
  silence(): void;
  stop(): void;
}

/** A line to a TCP server on loopback that can break. */
export async function startTcpLine(to: number): Promise<TcpLine> {
  const ends: [near: Socket, far: Socket][] = [];
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    ends.push([near, far]);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of ends.flat()) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => ends.length,
    cut,
    silence() {
      for (const socket of ends.flat()) socket.unpipe().pause();
    },
    stop() {
      server.close();
      cut();
    },
  };
}
