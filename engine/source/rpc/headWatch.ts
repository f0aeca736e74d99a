import type { Endpoint, Endpoints } from "./endpoints.ts";

/** Hears of new blocks through the WebSockets among a chain's endpoints, where there are any. */
export interface HeadWatch {
  /** Waits until a block is announced, the signal comes, or so many ms have passed. Subscribes again what was broken. */
  wait(ms: number): Promise<void>;
  /** Whether announcements come; if not, heads have to be asked for. */
  live(): boolean;
  close(): Promise<void>;
}

/** How soon a socket that broke is dialled again, at the earliest. */
const AGAIN_MS = 1_000;

export function createHeadWatch(endpoints: Endpoints, signal?: AbortSignal): HeadWatch {
  /** By endpoint; null while it dials. */
  const open = new Map<string, (() => Promise<void>) | null>();
  const failedAt = new Map<string, number>();
  let wake = (): void => {};
  let closed = false;
  signal?.addEventListener("abort", () => wake(), { once: true });

  async function subscribe(endpoint: Endpoint): Promise<void> {
    open.set(endpoint.name, null);
    const lost = (): void => {
      open.delete(endpoint.name);
      failedAt.set(endpoint.name, performance.now());
    };
    try {
      const unsubscribe = await endpoint.subscribe!("newHeads", {
        onData(header) {
          const number = Number((header as { number?: string } | null)?.number);
          if (!Number.isSafeInteger(number)) return;
          endpoint.setHead(number);
          wake();
        },
        onError: lost,
      });
      // What was mined before it stood.
      endpoint.setHead(Number(await endpoint.request<string>("eth_blockNumber")));
      if (closed) await unsubscribe();
      else if (open.has(endpoint.name)) open.set(endpoint.name, unsubscribe);
      wake();
    } catch {
      lost(); // heads are asked for meanwhile, and that says what is wrong
    }
  }

  return {
    live: () => [...open.values()].some((unsubscribe) => unsubscribe !== null),
    async wait(ms) {
      const due = ({ name }: Endpoint) => performance.now() - (failedAt.get(name) ?? -Infinity) >= AGAIN_MS;
      for (const endpoint of endpoints.usable())
        if (endpoint.subscribe && !open.has(endpoint.name) && due(endpoint)) void subscribe(endpoint);
      if (signal?.aborted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    async close() {
      closed = true;
      await Promise.all([...open.values()].map((unsubscribe) => unsubscribe?.().catch(() => undefined)));
    },
  };
}
