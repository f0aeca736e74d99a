import type { MarketMember } from "../../chain/opportunity/market.ts";
import { messageOf, ServiceUnavailable } from "../../ops/errors.ts";
import type { RpcObject } from "../recordingLine.ts";
import { RpcError } from "./connection.ts";
import type { Endpoint, Endpoints } from "./endpoints.ts";

export interface Sighting {
  readonly transaction: RpcObject;
  readonly seenAt: number;
  /** What the pools hold that it would trade through, if it is a router's swap. */
  readonly market?: MarketMember;
}

/** Where announcements come from: only while it is healthy does "never seen pending" mean anything. */
export interface PendingSource {
  readonly healthy: boolean;
  /** Host of the node. */
  readonly node: string;
  readonly via: "subscription" | "filter" | "pool";
  /** Unix ms. */
  readonly since: number;
  /** Why it is not healthy. */
  readonly reason?: string;
}

export interface PendingWatch {
  /**
   * Transactions announced since the last call, in order of announcement, each hash once. One that lies in a block before `nextBlock`
   * is left out: its block was written first. Where the source broke, another is opened; what was announced meanwhile is lost.
   */
  take(nextBlock: number): Promise<Sighting[]>;
  missed(): number;
  source(): PendingSource;
  close(): Promise<void>;
}

/** Announcements kept between two calls of take, and hashes remembered to tell a repeat: 200,000 hashes are ~30 MB. */
const MAX_WAITING = 200_000;
/** Bodies asked for at a time, so that a mempool of 100,000 does not become one burst. */
const BODY_CALLS = 500;
/** How soon a source is opened again after one broke, at the earliest. */
const AGAIN_MS = 1_000;

interface Announced {
  readonly hash: string;
  readonly seenAt: number;
  readonly transaction?: RpcObject;
}
interface Announcements {
  readonly via: PendingSource["via"];
  /** @throws when the source is broken: it is to be opened anew */
  poll(): Promise<Announced[]>;
  close(): Promise<void>;
}
interface Opened extends Announcements {
  readonly endpoint: Endpoint;
}

/**
 * Watches the mempool by the best way that the endpoints offer: a WebSocket subscription, a pending filter, or reading the whole pool.
 * @throws RpcError where none offers any
 */
export async function createPendingWatch(options: {
  endpoints: Endpoints;
  clock: () => number;
}): Promise<PendingWatch> {
  const { endpoints, clock } = options;
  const seen = new Set<string>();
  let missed = 0;
  let triedAt = performance.now();
  let opened: Opened | undefined = await open();
  let source = healthy(opened);

  async function open(): Promise<Opened> {
    const ranked = endpoints.usable();
    const sockets = ranked.filter(({ subscribe }) => subscribe);
    // A socket hears of a transaction at once: any of them before the best of the others.
    for (const endpoint of sockets) {
      const found = await subscription(endpoint, clock, () => missed++).catch(() => undefined);
      if (found) return { ...found, endpoint };
    }
    return endpoints.use(async (endpoint) => {
      try {
        return { ...(await pendingFilter(endpoint, clock)), endpoint };
      } catch (error) {
        if (!(error instanceof RpcError && error.unsupported)) throw error;
        return { ...(await wholePool(endpoint, clock)), endpoint };
      }
    });
  }

  function healthy({ endpoint, via }: Opened): PendingSource {
    return { healthy: true, node: endpoint.name, via, since: clock() };
  }

  async function announced(): Promise<Announced[]> {
    if (!opened) {
      if (performance.now() - triedAt < AGAIN_MS) return [];
      triedAt = performance.now();
      opened = await open();
      source = healthy(opened);
    }
    return opened.poll();
  }

  async function bodies(group: Announced[]): Promise<(RpcObject | null)[]> {
    return Promise.all(
      group.map(
        ({ hash, transaction }) =>
          transaction ?? opened!.endpoint.request<RpcObject | null>("eth_getTransactionByHash", [hash]),
      ),
    );
  }

  return {
    async take(nextBlock) {
      const sightings: Sighting[] = [];
      let fresh: Announced[] = [];
      let done = 0;
      try {
        fresh = (await announced()).filter(({ hash }) => !seen.has(hash) && remember(hash));
        for (; done < fresh.length; done += BODY_CALLS) {
          const group = fresh.slice(done, done + BODY_CALLS);
          for (const [index, transaction] of (await bodies(group)).entries()) {
            const minedIn = transaction?.blockNumber == null ? Infinity : Number(transaction.blockNumber);
            if (transaction && minedIn >= nextBlock) sightings.push({ transaction, seenAt: group[index]!.seenAt });
            else missed++; // replaced or dropped before we asked, or its block is already written
          }
        }
      } catch (error) {
        if (!(error instanceof ServiceUnavailable)) throw error;
        missed += fresh.length - done;
        void opened?.close().catch(() => undefined); // it is broken: that is why
        opened = undefined;
        triedAt = performance.now();
        if (source.healthy) source = { ...source, healthy: false, since: clock(), reason: messageOf(error) };
      }
      return sightings;
    },
    missed: () => missed,
    source: () => source,
    close: async () => opened?.close(),
  };

  function remember(hash: string): boolean {
    seen.add(hash);
    if (seen.size > MAX_WAITING) seen.delete(seen.values().next().value!); // a Set keeps insertion order: the oldest goes
    return true;
  }
}

async function subscription(endpoint: Endpoint, clock: () => number, onMissed: () => void): Promise<Announcements> {
  let waiting: Announced[] = [];
  let broken: Error | undefined;
  const unsubscribe = await endpoint.subscribe!("newPendingTransactions", {
    onData(hash) {
      if (typeof hash !== "string") return;
      if (waiting.length < MAX_WAITING) waiting.push({ hash, seenAt: clock() });
      else onMissed();
    },
    onError: (error) => (broken = error),
  });
  return {
    via: "subscription",
    async poll() {
      const taken = waiting;
      waiting = [];
      if (broken && taken.length === 0) throw broken;
      return taken;
    },
    async close() {
      if (!broken) await unsubscribe();
    },
  };
}

async function pendingFilter(endpoint: Endpoint, clock: () => number): Promise<Announcements> {
  const install = () => endpoint.request<string>("eth_newPendingTransactionFilter");
  let id = await install();
  return {
    via: "filter",
    async poll() {
      try {
        const hashes = await endpoint.request<string[]>("eth_getFilterChanges", [id]);
        return hashes.map((hash) => ({ hash, seenAt: clock() }));
      } catch (error) {
        // Nodes forget filters that rest for some minutes, or after a restart: install another and go on.
        const forgotten = /filter.*(not found|does not exist)|not found.*filter/i;
        if (!(error instanceof RpcError && forgotten.test(error.message))) throw error;
        id = await install();
        return [];
      }
    },
    async close() {
      await endpoint.request("eth_uninstallFilter", [id]).catch(() => undefined); // a courtesy: the node drops it by itself
    },
  };
}

/** `txpool_content` gives bodies at once; what stood in the pool before is announced by the first poll. */
async function wholePool(endpoint: Endpoint, clock: () => number): Promise<Announcements> {
  type Pool = { pending: Record<string, Record<string, RpcObject>> };
  const content = () => endpoint.request<Pool>("txpool_content");
  let before = new Set<string>();
  await content(); // a node that lacks it too should say so when the source opens
  return {
    via: "pool",
    async poll() {
      const pooled = Object.values((await content()).pending).flatMap((byNonce) => Object.values(byNonce));
      const fresh = pooled.filter(({ hash }) => !before.has(String(hash)));
      before = new Set(pooled.map(({ hash }) => String(hash)));
      return fresh.map((transaction) => ({ hash: String(transaction.hash), seenAt: clock(), transaction }));
    },
    async close() {},
  };
}
