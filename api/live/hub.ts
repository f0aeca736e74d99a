/**
 * Where live events come together, and where clients read them. A channel's events are in a ring, once, as they are sent; a client is
 * a place in it. So what a slow client costs does not grow: it falls behind, and what it has not read when the ring has gone round is gone for it.
 *
 *     topics, or the engine ──publish──▶ ring of a channel ──next──▶ reader ──▶ socket, as far as that takes it
 */
import { type At, CHANNELS, type Channel, type LiveEvent } from "./event.ts";
import { createRing, type Ring, type RingLimits } from "./ring.ts";

export interface Hub {
  /** Events of any channels, each lane's in its order. */
  publish(events: readonly LiveEvent[]): void;
  /** What comes next in the channel stands behind these. */
  begin(channel: Channel, positions: ReadonlyMap<string, At>): void;
  /** @param wake there is something to read that there was not: call `next` until there is nothing left, or `later` */
  reader(wake: () => void): Reader;
  ring(channel: Channel): Ring;
  /** Whether anybody reads the channel. */
  isWanted(channel: Channel): boolean;
  /** Told whenever that changes. @returns no longer */
  onWanted(listener: (channel: Channel, wanted: boolean) => void): () => void;
}

export type Passes = (event: LiveEvent) => boolean;

/** One client's place in the channels that it subscribes to. */
export interface Reader {
  /** @param from number in the ring; default: what comes from now on */
  subscribe(channel: Channel, passes: Passes, from?: number): void;
  unsubscribe(channel: Channel): void;
  /** The next event of any channel that passes. */
  next(): LiveEvent | undefined;
  /** How many events, whether they would have passed or not, were gone before they were read, since this was asked last. */
  missed(): number;
  /** There is more to read, but others have their turn first. */
  later(): void;
  close(): void;
}

/** Enough for a client that is away for seconds: an alert has some 800 B, a transaction 1,500 B. */
const DEFAULT_LIMITS: RingLimits = { events: 16_384, bytes: 8 << 20 };
/** Readers that have their turn before the event loop has its own: sockets, timers, other requests. */
const TURN = 64;

interface Subscription {
  cursor: number;
  readonly ring: Ring;
  readonly passes: Passes;
}

export function createHub({ limits = DEFAULT_LIMITS }: { limits?: RingLimits } = {}): Hub {
  const rings = new Map(CHANNELS.map((channel) => [channel, createRing(limits)]));
  const readers = new Map(CHANNELS.map((channel) => [channel, new Set<() => void>()]));
  const listeners = new Set<(channel: Channel, wanted: boolean) => void>();
  /** Readers that have something to read, in the order of their turns. */
  const due = new Set<() => void>();
  let turning = false;

  function wakeLater(wake: () => void): void {
    due.add(wake);
    if (turning) return;
    turning = true;
    setImmediate(takeTurn);
  }

  function takeTurn(): void {
    let left = TURN;
    for (const wake of due) {
      if (left-- === 0) break;
      due.delete(wake);
      wake();
    }
    turning = due.size > 0;
    if (turning) setImmediate(takeTurn);
  }

  function changeWanted(channel: Channel, change: (wakes: Set<() => void>) => void): void {
    const wakes = readers.get(channel)!;
    const before = wakes.size > 0;
    change(wakes);
    const wanted = wakes.size > 0;
    if (wanted !== before) for (const listener of listeners) listener(channel, wanted);
  }

  return {
    publish(events) {
      for (const event of events) rings.get(event.channel)!.push(event);
      for (const channel of new Set(events.map(({ channel }) => channel)))
        for (const wake of readers.get(channel)!) wakeLater(wake);
    },
    begin: (channel, positions) => rings.get(channel)!.begin(positions),
    ring: (channel) => rings.get(channel)!,
    isWanted: (channel) => readers.get(channel)!.size > 0,
    onWanted(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reader(wake) {
      const subscriptions = new Map<Channel, Subscription>();
      let missed = 0;

      function nextOf(subscription: Subscription): LiveEvent | undefined {
        const { ring, passes } = subscription;
        if (subscription.cursor < ring.tail) {
          missed += ring.tail - subscription.cursor;
          subscription.cursor = ring.tail;
        }
        while (subscription.cursor < ring.head) {
          const event = ring.at(subscription.cursor++);
          if (passes(event)) return event;
        }
        return undefined;
      }

      return {
        subscribe(channel, passes, from) {
          const ring = rings.get(channel)!;
          subscriptions.set(channel, { ring, passes, cursor: from ?? ring.head });
          changeWanted(channel, (wakes) => wakes.add(wake));
          if (from !== undefined) wakeLater(wake);
        },
        unsubscribe(channel) {
          subscriptions.delete(channel);
          changeWanted(channel, (wakes) => wakes.delete(wake));
        },
        next() {
          for (const [channel, subscription] of subscriptions) {
            const event = nextOf(subscription);
            if (!event) continue;
            subscriptions.delete(channel); // to the end: the next event is another channel's, if that has one
            subscriptions.set(channel, subscription);
            return event;
          }
          return undefined;
        },
        missed() {
          const count = missed;
          missed = 0;
          return count;
        },
        later: () => wakeLater(wake),
        close() {
          for (const channel of subscriptions.keys()) changeWanted(channel, (wakes) => wakes.delete(wake));
          subscriptions.clear();
          due.delete(wake);
        },
      };
    },
  };
}
