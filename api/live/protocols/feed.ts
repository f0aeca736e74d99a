/** `/ws`, as the news monitor (seed 004) speaks it: what belongs to a message is in its `data`. */
import { z } from "zod";
import { readFilters } from "../filters.ts";
import type { Passes } from "../hub.ts";
import { envelope, type Protocol, recordSchema } from "./protocol.ts";

const dataSchema = z.object({ type: z.literal("all_alerts"), filters: recordSchema.default({}) });
/** Filters of news. What a rule raised is certain, and about no company. */
const newsSchema = z.object({
  confidence_threshold: z.number().min(0).max(1).optional(),
  companies: z.array(z.int().min(0)).max(1_000).optional(),
});

export const feedProtocol: Protocol = {
  types: ["subscribe", "unsubscribe"],
  begin: ({ send, connectionId }) =>
    send({ type: "status", data: { status: "connected", connection_id: connectionId } }),
  receive(type, { data }, session) {
    if (type === "unsubscribe") {
      session.unsubscribe("alerts");
      session.send({ type: "unsubscribe", data: { type: "all_alerts", status: "unsubscribed" } });
      return undefined;
    }
    const read = dataSchema.safeParse(data);
    if (!read.success) return `Invalid data. Must be {"type": "all_alerts", "filters": {…}}`;
    const { filters } = read.data;
    const { confidence_threshold, companies, ...rest } = filters;
    const news = newsSchema.safeParse({ confidence_threshold, companies });
    if (!news.success)
      return "Invalid filters. Must be confidence_threshold from 0 to 1, and companies, a list of at most 1,000 ids";
    const passing = readFilters(["alerts"], rest);
    if (typeof passing === "string") return passing;
    const passes: Passes = news.data.companies === undefined ? passing.get("alerts")! : () => false;
    session.subscribe("alerts", passes);
    session.send({ type: "subscribe", data: { type: "all_alerts", status: "subscribed", filters } });
    return undefined;
  },
  encode: envelope,
};
