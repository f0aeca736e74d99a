import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands between the recorder and the node as a node that is told of some transactions only with their block, as happens where
 * senders use private relays: pending hashes pass once they are published, everything else passes at once.
 */
export async function startPrivateRelay(nodeUrl: string) {
  let published: string[] = [];
  type Answer = { id: number; result?: unknown };
  type Request = { id: number; method: string };
  const hold = (request: Request, answer: Answer): Answer => {
    if (request.method !== "eth_getFilterChanges") return answer;
    const passed = published;
    published = [];
    return { ...answer, result: passed };
  };
  const server = createServer(async (request, response) => {
    try {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts).toString();
      const upstream = await fetch(nodeUrl, { method: "POST", headers: { "content-type": "application/json" }, body });
      const asked = JSON.parse(body) as Request | Request[];
      const answered = (await upstream.json()) as Answer | Answer[];
      const requests = new Map([asked].flat().map((call) => [call.id, call]));
      const pass = (answer: Answer) => hold(requests.get(answer.id)!, answer);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(Array.isArray(answered) ? answered.map(pass) : pass(answered)));
    } catch (error) {
      response.statusCode = 502;
      response.end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publish: (hashes: string[]) => void published.push(...hashes),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
