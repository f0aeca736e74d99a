/** Where live events come from, and where those are that the hub does not have any more. */
import { type Channel, createEvent, type LiveEvent } from "./event.ts";
import type { Hub } from "./hub.ts";
import type { Positions } from "./positions.ts";

export interface Feed {
  /** Puts events into the hub from now on, until it is closed. */
  start(hub: Hub): void;
  /**
   * Events of a channel behind `after`, at least up to `until`, some at a time, each lane's in its order. Where some are nowhere any more,
   * there is an event of the type `gap` instead.
   */
  history(
    channel: Channel,
    after: Positions,
    until: Positions,
    signal: AbortSignal,
  ): AsyncIterable<readonly LiveEvent[]>;
  close(): Promise<void>;
}

/** Some events of a channel cannot be had any more; who reads must know, and look elsewhere. */
export const gapEvent = (channel: Channel, message: string, now: number): LiveEvent =>
  createEvent({ channel, type: "gap", data: { channel, message }, now });
