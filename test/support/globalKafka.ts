// vitest's globalSetup for the system tests: one broker for the whole run, started when the first test asks for it.
// Tests run in processes of their own, so they ask over HTTP; see sharedKafka.ts for their side.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type Broker, startBroker } from "./kafkaBroker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers with the shared broker's address, or with status 500 and the reason why there is none. */
    kafkaStarter: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let broker: Promise<Broker> | undefined;
  const server = createServer(async (_request, response) => {
    try {
      broker ??= startBroker();
      response.end((await broker).brokers);
    } catch (error) {
      response.statusCode = 500;
      response.end((error as Error).message);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("kafkaStarter", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  return async () => {
    server.closeAllConnections();
    server.close();
    const running = await broker?.catch(() => undefined); // the tests have reported that it did not start
    await running?.close();
  };
}
