/** The last events of a channel, numbered from 0 on: as many as fit, the oldest go first. */
import type { At, LiveEvent } from "./event.ts";

export interface RingLimits {
  readonly events: number;
  /** Of their messages. */
  readonly bytes: number;
}

export interface Ring {
  /** Numbers of the oldest event that is there, and of the next that will be. */
  readonly tail: number;
  readonly head: number;
  readonly bytes: number;
  /** The event of this number, tail to head − 1. */
  at(number: number): LiveEvent;
  push(event: LiveEvent): void;
  /** By lane where the last event stood that was pushed, or that came before the first. */
  readonly last: Map<string, At>;
  /** The same for events that are not there any more: who has read up to here misses nothing. */
  readonly gone: Map<string, At>;
  /** What comes next stands behind these: events before them are not there. */
  begin(positions: ReadonlyMap<string, At>): void;
}

export function createRing(limits: RingLimits): Ring {
  const events = new Array<LiveEvent | undefined>(limits.events);
  const last = new Map<string, At>();
  const gone = new Map<string, At>();
  let tail = 0;
  let head = 0;
  let bytes = 0;

  function dropOldest(): void {
    const { place, message } = events[tail % limits.events]!;
    events[tail++ % limits.events] = undefined;
    bytes -= message.length;
    if (place) gone.set(place.lane, place.at);
  }

  return {
    get tail() {
      return tail;
    },
    get head() {
      return head;
    },
    get bytes() {
      return bytes;
    },
    last,
    gone,
    at: (number) => events[number % limits.events]!,
    push(event) {
      if (head - tail === limits.events) dropOldest();
      events[head++ % limits.events] = event;
      bytes += event.message.length;
      while (bytes > limits.bytes && tail < head - 1) dropOldest(); // one that is too large alone stays until the next
      if (event.place) last.set(event.place.lane, event.place.at);
    },
    begin(positions) {
      while (tail < head) dropOldest();
      for (const [lane, at] of positions) {
        last.set(lane, at);
        gone.set(lane, at);
      }
    },
  };
}
