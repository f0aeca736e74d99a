/** Live channels as subscriptions: the hub's events (api/live), as fast as a client takes them and no faster. */
import {
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLScalarType,
  GraphQLString,
} from "graphql";
import type { Channel } from "../live/event.ts";
import { filtersOf, readFilters } from "../live/filters.ts";
import type { Hub, Passes } from "../live/hub.ts";
import { badInput, mustBeAllowed } from "./connections.ts";
import type { GraphqlDeps } from "./context.ts";
import { type Fields, Json, SafeInt, type Types } from "./types.ts";

/** Channels, the type of their events, and the component that their rows are of; JSON where kinds have members of their own. */
const CHANNELS = {
  alerts: ["alert", "Alert"],
  transactions: ["transaction", "Transaction"],
  arbitrages: ["transaction", "Transaction"],
  opportunities: ["opportunity", "Opportunity"],
  mev_opportunities: ["mev_opportunity", undefined],
} as const satisfies Partial<Record<Channel, readonly [string, string | undefined]>>;

/** What filters are that are no text. */
const FILTER_TYPES: Readonly<Record<string, GraphQLScalarType>> = {
  chain_id: SafeInt,
  min_swaps: SafeInt,
  min_profit: GraphQLFloat,
  max_profit: GraphQLFloat,
  pending: GraphQLBoolean,
};

const Block = new GraphQLObjectType({
  name: "TurnedBlock",
  fields: {
    chain_id: { type: SafeInt },
    block_number: { type: SafeInt },
    block_hash: { type: GraphQLString },
    status: { type: GraphQLString, description: "retracted: what it said has not happened; provisional: it has after all" },
  },
}); // biome-ignore format: a member a line

export const subscriptionFields = (types: Types): Fields =>
  Object.fromEntries(Object.keys(CHANNELS).map((name) => [name, channelField(types, name as keyof typeof CHANNELS)]));

function channelField(types: Types, channel: keyof typeof CHANNELS): Fields[string] {
  const [type, component] = CHANNELS[channel];
  return {
    type: new GraphQLNonNull(eventOf(types, type, component)),
    description: `Events of the live channel ${channel}, from now on.`,
    args: Object.fromEntries(filtersOf(channel).map((name) => [name, { type: FILTER_TYPES[name] ?? GraphQLString }])),
    subscribe(_, filters, { deps, ...context }) {
      mustBeAllowed(context, "GET /sse/stream");
      if (!deps.hub) throw new GraphQLError("Cannot subscribe: there are no live streams here", { extensions: { code: "NOT_FOUND" } }); // biome-ignore format: one line
      const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value != null));
      const passing = readFilters([channel], given);
      if (typeof passing === "string") throw badInput(passing);
      return openStream(deps, deps.hub, channel, passing.get(channel)!);
    },
    resolve: (event) => event,
  };
}

const events = new WeakMap<Types, Map<string, GraphQLObjectType>>();

/** `AlertEvent`: the row in `data`, unless it is about a whole block or says that events are gone. */
function eventOf(types: Types, type: string, component: string | undefined): GraphQLObjectType {
  const known = events.get(types) ?? new Map<string, GraphQLObjectType>();
  events.set(types, known);
  const name = `${component ?? "MevOpportunity"}Event`;
  const ofType = (wanted: string, member = "data") => (event: Message) => event.type === wanted ? (member === "data" ? event.data : event.data[member]) : null; // biome-ignore format: one line
  const made = known.get(name) ?? new GraphQLObjectType({
    name,
    fields: {
      type: { type: new GraphQLNonNull(GraphQLString), description: `${type}; block: what a block said does not hold any more, or does again; gap: some events cannot be had any more` },
      timestamp: { type: new GraphQLNonNull(GraphQLString), description: "when it got here" },
      data: { type: component ? types.partial(component) : Json, resolve: ofType(type) },
      block: { type: Block, resolve: ofType("block") },
      message: { type: GraphQLString, description: "of a gap: what is gone", resolve: ofType("gap", "message") },
    },
  });
  known.set(name, made);
  return made;
} // biome-ignore format: a member a line

interface Message {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Streams that are open now, by what they stream for. */
const open = new WeakMap<GraphqlDeps, number>();

/** @throws when there are as many as there may be: at once, not at the first event */
function openStream(deps: GraphqlDeps, hub: Hub, channel: Channel, passes: Passes): AsyncGenerator<Message> {
  const count = open.get(deps) ?? 0;
  if (count >= deps.maxStreams)
    throw new GraphQLError(`At capacity: ${deps.maxStreams} subscriptions. Try again later`, { extensions: { code: "AT_CAPACITY" } }); // biome-ignore format: one line
  let wake = (): void => {};
  let ended = false;
  const reader = hub.reader(() => wake());
  reader.subscribe(channel, passes); // now: what comes before the first event is asked for is not missed
  open.set(deps, count + 1);

  function end(): void {
    if (ended) return;
    ended = true;
    reader.close();
    open.set(deps, open.get(deps)! - 1);
    wake();
  }

  return {
    async next() {
      for (;;) {
        if (ended) return { done: true, value: undefined };
        const event = reader.next();
        const missed = reader.missed();
        if (missed > 0) {
          end();
          throw new GraphQLError(`Too slow: ${missed} events were gone before they could be sent. Subscribe again`, { extensions: { code: "TOO_SLOW" } }); // biome-ignore format: one line
        }
        if (event) return { done: false, value: JSON.parse(event.message.toString()) as Message };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async return() {
      end();
      return { done: true, value: undefined };
    },
    async throw(error) {
      end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
