/**
 * GET requests at a rate that waits for no answer. Where answers come slower than that, requests would wait without end, for sockets and at the server: a
 * request that is due while there are too many, or that takes too long, is given up, and counts with the longest time there is.
 */
import { Agent, request } from "node:http";
import { forkEntry } from "../measure/forked.ts";
import { openLoop } from "./openLoop.ts";

export interface HttpLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** Asked in turn. */
  readonly urls: readonly string[];
  /** Default GIVEN_UP_MS. */
  readonly limitMs?: number;
}

export interface Answers {
  /** ms from when each request was due until its answer was here whole; the limit for one that was given up. */
  readonly latencies: readonly number[];
  /** Answers that came whole. */
  readonly answered: number;
  /** Answers that were not 200, and requests without one. */
  readonly wrong: number;
  /** Requests that were not sent, since too many waited, or whose answer did not come in time. */
  readonly givenUp: number;
  /** Answers that were kept (`x-cache`), not made for the request. */
  readonly kept: number;
  /** Of the bodies, on average. */
  readonly bytes: number;
}

/** More would be connections, not requests: what does not fit waits, and its time counts. */
const SOCKETS = 64;
/** At most so many seconds' requests wait. */
const WAITING_SECONDS = 3;
const GIVEN_UP_MS = 20_000;

const KEPT = new Set(["memory", "redis", "waiting"]);

/** Ends at most `limitMs` after the last request was due. */
export async function httpLoad({ perSecond, seconds, urls, limitMs = GIVEN_UP_MS }: HttpLoad): Promise<Answers> {
  // With a time of its own it heeds the server's, too, after which that closes what is idle: a request that is sent just then has no answer.
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, timeout: limitMs });
  const latencies: number[] = [];
  const under = new Set<Promise<void>>();
  let [wrong, givenUp, kept, bytes] = [0, 0, 0, 0];

  const giveUp = (): void => {
    givenUp++;
    latencies.push(limitMs);
  };

  const get = (address: string, due: number): Promise<void> =>
    new Promise((resolve) => {
      let [isLate, settled] = [false, false];
      // no AbortSignal: each would keep its request and answer for all of that time, 20,000 of them at 1,000 a second
      const timer = setTimeout(
        () => {
          isLate = true;
          sent.destroy();
        },
        due + limitMs - performance.now(),
      );
      const settle = (): void => {
        settled = true;
        clearTimeout(timer);
        resolve();
      };
      const fail = (): void => {
        if (settled) return; // an answer that breaks off is told of twice
        if (isLate) giveUp();
        else wrong++;
        settle();
      };
      const sent = request(address, { agent }, (response) => {
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on("error", fail);
        response.on("end", () => {
          if (response.statusCode !== 200) wrong++;
          if (KEPT.has(String(response.headers["x-cache"]))) kept++;
          latencies.push(performance.now() - due);
          settle();
        });
      });
      sent.on("error", fail);
      sent.end();
    });

  await openLoop({
    perSecond,
    seconds,
    fire(i, due) {
      if (under.size >= perSecond * WAITING_SECONDS) return giveUp();
      const done = get(urls[i % urls.length]!, due);
      under.add(done);
      void done.then(() => under.delete(done));
    },
  });
  await Promise.all(under);
  agent.destroy();
  const answered = latencies.length - givenUp;
  return { latencies, answered, wrong, givenUp, kept, bytes: bytes / Math.max(1, answered) };
}

export interface HttpLoadProcess {
  readonly pid: number;
  /** One at a time. @throws Error when the process ends meanwhile */
  run(load: HttpLoad): Promise<Answers>;
  close(): Promise<void>;
}

/** The same, in a process of its own: one that has nothing else to do when an answer is there. */
export async function openHttpLoad(): Promise<HttpLoadProcess> {
  const { child, heard, close } = await forkEntry("bench/load/httpLoadProcess");
  return {
    pid: child.pid!,
    async run(load) {
      child.send(load);
      const answers = (await heard()) as Answers | undefined;
      if (answers === undefined) throw new Error("Cannot measure: the load's process ended, expected its answers");
      return answers;
    },
    close,
  };
}
