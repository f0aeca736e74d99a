/** GET requests at a rate that waits for no answer. */
import { Agent, request } from "node:http";
import { openLoop } from "./openLoop.ts";

export interface HttpLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** The i-th request's address. */
  readonly url: (i: number) => string;
}

export interface Answers {
  /** ms from when each request was due until its answer was here whole. */
  readonly latencies: readonly number[];
  /** Answers that were not 200, and requests without one. */
  readonly wrong: number;
  /** Answers that were kept (`x-cache`), not made for the request. */
  readonly kept: number;
  /** Of the bodies, on average. */
  readonly bytes: number;
}

/** More would be connections, not requests: what does not fit waits, and its time counts. */
const SOCKETS = 64;

const KEPT = new Set(["memory", "redis", "waiting"]);

export async function httpLoad({ perSecond, seconds, url }: HttpLoad): Promise<Answers> {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const latencies: number[] = [];
  const under = new Set<Promise<void>>();
  let wrong = 0;
  let kept = 0;
  let bytes = 0;

  const get = (address: string, due: number): Promise<void> =>
    new Promise((resolve) => {
      const sent = request(address, { agent }, (response) => {
        if (response.statusCode !== 200) wrong++;
        if (KEPT.has(String(response.headers["x-cache"]))) kept++;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on("end", () => {
          latencies.push(performance.now() - due);
          resolve();
        });
      });
      sent.on("error", () => {
        wrong++;
        resolve();
      });
      sent.end();
    });

  await openLoop({
    perSecond,
    seconds,
    fire(i, due) {
      const done = get(url(i), due);
      under.add(done);
      void done.then(() => under.delete(done));
    },
  });
  await Promise.all(under);
  agent.destroy();
  return { latencies, wrong, kept, bytes: bytes / Math.max(1, latencies.length) };
}
