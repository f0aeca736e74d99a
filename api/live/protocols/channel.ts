/**
 * `/ws/alerts`, `/ws/transactions` and `/ws/status` (seed 001): who connects has subscribed; filters stand in the address. With `?format=bare`
 * messages are the rows alone (seed 003).
 */
import type { Channel } from "../event.ts";
import type { Passes } from "../hub.ts";
import { bare, envelope, type Protocol } from "./protocol.ts";

/** @param early alerts also as soon as they are raised */
export const channelProtocol = (
  channel: Channel,
  passes: Passes,
  format: "envelope" | "bare",
  early = false,
): Protocol => ({
  types: [],
  begin(session) {
    if (format === "envelope")
      session.send({ type: "connected", connection_id: session.connectionId, message: `Connected to ${channel}` });
    session.subscribe(channel, passes);
    if (early) session.subscribe("early_alerts", passes);
  },
  receive: () => undefined,
  encode: format === "bare" ? bare : envelope,
});
