/** `/ws/v1/stream`, as the arbitrage monitor (seed 002) speaks it: two channels, each with filters of its own. */
import type { Channel } from "../event.ts";
import { readFilters } from "../filters.ts";
import { envelope, type Protocol, shown } from "./protocol.ts";

/** What it calls transactions are arbitrages. */
const CHANNELS: Readonly<Record<string, Channel>> = { opportunities: "opportunities", transactions: "arbitrages" };

export const streamProtocol: Protocol = {
  types: ["subscribe", "unsubscribe"],
  begin: ({ send, connectionId }) =>
    send({
      type: "connected",
      connection_id: connectionId,
      message: "Connected to Multi-Chain Arbitrage Monitor WebSocket",
    }),
  receive(type, { channel: name, filters = {} }, session) {
    if (name === undefined) return "Missing channel. Must be 'opportunities' or 'transactions'";
    const channel = typeof name === "string" && Object.hasOwn(CHANNELS, name) ? CHANNELS[name] : undefined;
    if (channel === undefined) return `Invalid channel: ${shown(name)}. Must be 'opportunities' or 'transactions'`;
    if (type === "unsubscribe") {
      session.unsubscribe(channel);
      session.send({ type: "unsubscribed", channel: name });
      return undefined;
    }
    const read = readFilters([channel], filters);
    if (typeof read === "string") return read;
    session.subscribe(channel, read.get(channel)!);
    session.send({ type: "subscribed", channel: name, filters });
    return undefined;
  },
  encode: envelope,
};
