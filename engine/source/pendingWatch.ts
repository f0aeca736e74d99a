import { type RpcClient, RpcError } from "./jsonRpc.ts";
import type { RpcObject } from "./recordingLine.ts";

export type Sighting = { transaction: RpcObject; seenAt: number };

export type PendingWatch = {
  /**
   * Transactions announced since the last call, in order of announcement, each hash once.
   * One that lies in a block before `nextBlock` is left out: its block was written first.
   */
  take(nextBlock: number): Promise<Sighting[]>;
  missed(): number;
  close(): Promise<void>;
};

/** Announcements kept between two calls of take, and hashes remembered to tell a repeat: 200,000 hashes are ~30 MB. */
const MAX_WAITING = 200_000;
/** Bodies asked for at a time, so that a mempool of 100,000 does not become one burst. */
const BODY_CALLS = 500;

type Announced = { hash: string; seenAt: number; transaction?: RpcObject };
type Announcements = { poll(): Promise<Announced[]>; close(): Promise<void> };

/**
 * Watches a node's mempool by the best way it offers: a WebSocket subscription, a pending filter, or reading the whole pool.
 * Throws RpcError where it offers none.
 */
export async function createPendingWatch(options: { client: RpcClient; now: () => number }): Promise<PendingWatch> {
  const { client, now } = options;
  const seen = new Set<string>();
  let missed = 0;
  const announcements = await openAnnouncements(client, now, () => missed++);

  return {
    async take(nextBlock) {
      const fresh = (await announcements.poll()).filter(({ hash }) => !seen.has(hash) && remember(hash));
      const sightings: Sighting[] = [];
      for (let start = 0; start < fresh.length; start += BODY_CALLS) {
        const group = fresh.slice(start, start + BODY_CALLS);
        const bodies = await Promise.all(
          group.map(
            ({ hash, transaction }) =>
              transaction ?? client.request<RpcObject | null>("eth_getTransactionByHash", [hash]),
          ),
        );
        for (const [index, transaction] of bodies.entries()) {
          const minedIn = transaction?.blockNumber == null ? Infinity : Number(transaction.blockNumber);
          if (transaction && minedIn >= nextBlock) sightings.push({ transaction, seenAt: group[index]!.seenAt });
          else missed++; // replaced or dropped before we asked, or its block is already written
        }
      }
      return sightings;
    },
    missed: () => missed,
    close: () => announcements.close(),
  };

  function remember(hash: string): boolean {
    seen.add(hash);
    if (seen.size > MAX_WAITING) seen.delete(seen.values().next().value!); // a Set keeps insertion order: the oldest goes
    return true;
  }
}

async function openAnnouncements(client: RpcClient, now: () => number, onMissed: () => void): Promise<Announcements> {
  if (client.subscribePending) return subscription(client, now, onMissed);
  try {
    return await pendingFilter(client, now);
  } catch (error) {
    if (!(error instanceof RpcError && error.unsupported)) throw error;
    return wholePool(client, now);
  }
}

/** A socket that breaks is opened again by the next poll; what was announced in between is lost. */
async function subscription(client: RpcClient, now: () => number, onMissed: () => void): Promise<Announcements> {
  let waiting: Announced[] = [];
  let broken = false;
  const subscribe = () =>
    client.subscribePending!({
      onHash: (hash) => (waiting.length < MAX_WAITING ? waiting.push({ hash, seenAt: now() }) : onMissed()),
      onError: () => (broken = true),
    });
  let unsubscribe = await subscribe();
  return {
    async poll() {
      if (broken) {
        unsubscribe = await subscribe();
        broken = false;
      }
      const taken = waiting;
      waiting = [];
      return taken;
    },
    async close() {
      if (!broken) await unsubscribe();
    },
  };
}

/** A filter lives on one node: with several URLs that are served in turn a WebSocket URL is the better choice. */
async function pendingFilter(client: RpcClient, now: () => number): Promise<Announcements> {
  const open = () => client.request<string>("eth_newPendingTransactionFilter");
  let id = await open();
  return {
    async poll() {
      try {
        return await changes();
      } catch (error) {
        // Nodes forget filters that rest for some minutes, or after a restart: open another and go on.
        if (
          !(error instanceof RpcError) ||
          !/filter.*(not found|does not exist)|not found.*filter/i.test(error.message)
        )
          throw error;
        id = await open();
        return [];
      }
    },
    async close() {
      await client.request("eth_uninstallFilter", [id]).catch(() => undefined); // a courtesy: the node drops it by itself
    },
  };

  async function changes(): Promise<Announced[]> {
    const hashes = await client.request<string[]>("eth_getFilterChanges", [id]);
    return hashes.map((hash) => ({ hash, seenAt: now() }));
  }
}

/** `txpool_content` gives bodies at once; what stood in the pool before is announced by the first poll. */
async function wholePool(client: RpcClient, now: () => number): Promise<Announcements> {
  type Pool = { pending: Record<string, Record<string, RpcObject>> };
  const content = () => client.request<Pool>("txpool_content");
  let before = new Set<string>();
  await content(); // a node that lacks it too should say so when the source opens
  return {
    async poll() {
      const pooled = Object.values((await content()).pending).flatMap((byNonce) => Object.values(byNonce));
      const fresh = pooled.filter(({ hash }) => !before.has(String(hash)));
      before = new Set(pooled.map(({ hash }) => String(hash)));
      return fresh.map((transaction) => ({ hash: String(transaction.hash), seenAt: now(), transaction }));
    },
    async close() {},
  };
}
