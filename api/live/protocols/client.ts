/** `/ws/{client-id}`, as the mempool monitor (seed 000) speaks it: kinds of events, and one set of filters for all of them. */
import { z } from "zod";
import type { Channel } from "../event.ts";
import { readFilters } from "../filters.ts";
import { anyOf, envelope, type Protocol } from "./protocol.ts";

const EVENTS = {
  transactions: "transactions",
  alerts: "alerts",
  mev_opportunities: "mev_opportunities",
} as const satisfies Record<string, Channel>;
const NAMES = Object.keys(EVENTS) as (keyof typeof EVENTS)[];
const eventsSchema = z.array(z.enum(NAMES)).min(1).max(NAMES.length);

export const clientProtocol = (clientId: string): Protocol => ({
  types: ["subscribe", "unsubscribe"],
  begin: ({ send, connectionId }) =>
    send({ type: "connected", connection_id: connectionId, client_id: clientId, message: "Connected to Weir" }),
  receive(type, { events, filters = {} }, session) {
    const names = eventsSchema.safeParse(events);
    if (!names.success) return `Invalid events. Must be a list of ${anyOf(NAMES)}`;
    const channels = [...new Set(names.data)].map((name) => EVENTS[name]);
    if (type === "unsubscribe") {
      channels.forEach(session.unsubscribe);
      session.send({ type: "unsubscribed", events: names.data });
      return undefined;
    }
    const read = readFilters(channels, filters);
    if (typeof read === "string") return read;
    for (const [channel, passes] of read) session.subscribe(channel, passes);
    session.send({ type: "subscribed", events: names.data, filters });
    return undefined;
  },
  encode: envelope,
});
