/** The schema: fields of Query and Subscription, and what belongs to what. Types and arguments are the routes' (types.ts). */
import { GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import type { z } from "zod";
import type { AlertRow } from "../../clickhouse/queries/alerts.ts";
import type { TransactionRow } from "../../clickhouse/queries/transactions.ts";
import { arbitrageFields } from "../arbitrageTransactions.ts";
import type { OpenApiDocument } from "../docs.ts";
import { type Listing, readPage } from "../list.ts";
import { MAX_LIMIT } from "../parameters.ts";
import { alertIdText, alertParameters, createAlertListing } from "../routes/alerts.ts";
import { arbitrageurParameters, readArbitrageurs } from "../routes/arbitrageurs.ts";
import { describeChains } from "../routes/chains.ts";
import {
  arbitrageListing,
  arbitrageParameters,
  liquidationListing,
  liquidationParameters,
  sandwichListing,
  sandwichParameters,
  swapListing,
  swapParameters,
} from "../routes/findings.ts";
import {
  gasHistoryParameters,
  gasParameters,
  gasPredictionParameters,
  readGas,
  readGasHistory,
  readGasPrediction,
} from "../routes/gas.ts";
import { createOpportunityListing, opportunityParameters } from "../routes/opportunities.ts";
import { createPoolListing, poolParameters } from "../routes/pools.ts";
import { toRule } from "../routes/rules.ts";
import { dailyParameters, hourlyParameters, readDailyStats, readHourlyStats } from "../routes/stats.ts";
import {
  readTransaction,
  type Transaction,
  transactionListing,
  transactionListParameters,
} from "../routes/transactions.ts";
import { transferListing, transferParameters } from "../routes/transfers.ts";
import { badInput, firstOf, listField, mustBeAllowed, pageField, readArguments } from "./connections.ts";
import type { GraphqlContext } from "./context.ts";
import { MOST_RELATED, type TransactionKey } from "./loaders.ts";
import { subscriptionFields } from "./subscriptions.ts";
import { createTypes, type Fields, type MoreFields, type Types } from "./types.ts";

export function createSchema(document: OpenApiDocument): GraphQLSchema {
  const types = createTypes(document, MORE);
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { ...lists(types), ...single(types) } }),
    subscription: new GraphQLObjectType({ name: "Subscription", fields: subscriptionFields(types) }),
  });
}

function lists(types: Types): Fields {
  return {
    transactions: listField(types, {
      path: "/api/v1/transactions",
      parameters: transactionListParameters,
      listing(asked, { deps }) {
        const { encode, ...listing } = transactionListing(deps.store, asked) as Listing<TransactionRow, Transaction>;
        const { definition } = asked; // what is asked for is what its fields are of
        return { ...listing, encode: async (rows: readonly TransactionRow[]) => (await encode(rows)).map((row) => ({ ...row, definition })) };
      },
    }),
    alerts: listField(types, ALERTS),
    transfers: listField(types, { path: "/api/v1/transfers", parameters: transferParameters, listing: transferListing }),
    swaps: listField(types, { path: "/api/v1/swaps", parameters: swapParameters, listing: swapListing }),
    arbitrages: listField(types, { path: "/api/v1/arbitrages", parameters: arbitrageParameters, listing: arbitrageListing }),
    sandwiches: listField(types, { path: "/api/v1/sandwiches", parameters: sandwichParameters, listing: sandwichListing }),
    liquidations: listField(types, { path: "/api/v1/liquidations", parameters: liquidationParameters, listing: liquidationListing }),
    opportunities: listField(types, {
      path: "/api/v1/opportunities",
      parameters: opportunityParameters,
      listing: (asked, { deps }) => createOpportunityListing(deps)(asked),
    }),
    pools: listField(types, { path: "/api/v1/pools", parameters: poolParameters, listing: (asked, { deps }) => createPoolListing(deps)(asked) }),
    arbitrageurs: pageField(types, {
      path: "/api/v1/arbitrageurs",
      parameters: arbitrageurParameters,
      async page(asked, { deps }) {
        const limit = asked.limit!;
        const { all, cursors, total } = await readArbitrageurs(deps.statistics, { ...asked, limit: limit + 1 });
        return { nodes: all.slice(0, limit), cursors: cursors.slice(0, limit), hasNext: all.length > limit, total: async () => Number(total) };
      },
    }),
  };
} // biome-ignore format: a list a line

const ALERTS = {
  path: "/api/v1/alerts",
  parameters: alertParameters,
  listing: (asked: z.output<typeof alertParameters>, { deps }: GraphqlContext) => createAlertListing(deps)(asked),
};

/** What is one thing, or a few. */
function single(types: Types): Fields {
  const hash = { type: new GraphQLNonNull(GraphQLString), description: "transaction hash" };
  const chain_id = types.argumentsOf("/api/v1/transactions", []).chain_id!;
  const many = (path: string) => new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(types.answerOf(path))));

  /** A route that answers with an object, or a bare array. @param rows an array may have */
  const answer = <P extends z.ZodObject>(path: string, parameters: P, rows: number | undefined, read: (asked: z.output<P>, context: GraphqlContext) => Promise<unknown>) => ({
    type: rows === undefined ? types.answerOf(path) : many(path),
    description: types.summaryOf(path),
    args: types.argumentsOf(path, ["chainId", "offset"]),
    extensions: { cost: { rows: () => rows ?? 1, each: 2 } }, // of statistics: open hours beside it
    resolve(_: unknown, args: Readonly<Record<string, unknown>>, context: GraphqlContext) {
      mustBeAllowed(context, `GET ${path}`);
      return orNull(read(readArguments(parameters, args), context), rows === undefined);
    },
  }); // biome-ignore format: one field

  return {
    transaction: {
      type: types.named("TransactionDetail"),
      description: types.summaryOf("/api/v1/transactions/{hash}"),
      args: { hash, chain_id },
      extensions: { cost: { each: 4 } },
      resolve(_, args, context) {
        mustBeAllowed(context, "GET /api/v1/transactions/{hash}");
        const asked = readArguments(transactionListParameters, args);
        return orNull(readTransaction(context.deps, asked.hash!, asked.chain_id), true);
      },
    },
    alert: {
      type: types.named("Alert"),
      description: types.summaryOf("/api/v1/alerts/{id}"),
      args: { id: { type: new GraphQLNonNull(GraphQLString) } },
      extensions: { cost: { each: 1 } },
      async resolve(_, { id }, { deps, ...context }) {
        mustBeAllowed(context, "GET /api/v1/alerts/{id}");
        const read = alertIdText.safeParse(id);
        if (!read.success) throw badInput(`Invalid id: ${read.error.issues[0]!.message}`);
        const { list, conditions, encode } = createAlertListing(deps)({ id: read.data });
        const { rows } = await readPage<AlertRow>(deps.store, list, conditions, { limit: 1, offset: 0 });
        return (await encode(rows))[0] ?? null;
      },
    },
    rules: {
      type: many("/api/v1/rules"),
      description: types.summaryOf("/api/v1/rules"),
      args: {
        ...types.argumentsOf("/api/v1/rules", []),
        first: { type: GraphQLInt, defaultValue: 100, description: "rules, 1 to 1000" },
        after: { type: GraphQLString, description: "those whose names come behind this one" },
      },
      extensions: { cost: { rows: firstOf(MAX_LIMIT) } },
      resolve(_, { state, first, after }: { state?: string; first: number; after?: string }, { deps, ...context }) {
        mustBeAllowed(context, "GET /api/v1/rules");
        if (first < 1 || first > MAX_LIMIT) throw badInput(`Invalid first: Expected an integer from 1 to ${MAX_LIMIT}`);
        const wanted = deps.rules.list().filter((rule) => (state == null || rule.state === state) && (after == null || rule.name > after)); // biome-ignore format: one line
        return wanted.slice(0, first).map((rule) => ({ ...toRule(rule, null), info: rule }));
      },
    },
    rule: {
      type: types.named("Rule"),
      description: types.summaryOf("/api/v1/rules/{name}"),
      args: { name: { type: new GraphQLNonNull(GraphQLString) } },
      resolve(_, { name }: { name: string }, context) {
        mustBeAllowed(context, "GET /api/v1/rules/{name}");
        return ruleNamed(name, context);
      },
    },
    chains: {
      type: many("/api/v1/chains"),
      description: types.summaryOf("/api/v1/chains"),
      extensions: { cost: { rows: () => 20, each: 1 } },
      async resolve(_, __, { deps, ...context }) {
        mustBeAllowed(context, "GET /api/v1/chains");
        return describeChains(await deps.coverage(), Date.now(), deps.registry);
      },
    },
    stats: answer("/api/v1/stats", hourlyParameters, 1_000, async (asked, { deps }) => (await readHourlyStats(deps.statistics, asked)).stats),
    daily_stats: answer("/api/v1/stats/daily", dailyParameters, 1_000, async (asked, { deps }) => (await readDailyStats(deps.statistics, asked)).stats),
    gas: answer("/api/v1/gas", gasParameters, undefined, (asked, { deps }) => readGas(deps.store, asked)),
    gas_history: answer("/api/v1/gas/history", gasHistoryParameters, 200, (asked, { deps }) => readGasHistory(deps.store, asked)),
    gas_prediction: answer("/api/v1/gas/prediction", gasPredictionParameters, undefined, (asked, { deps }) => readGasPrediction(deps.store, asked)),
  }; // biome-ignore format: a field a line
}

/** What is not there is null, or no rows. */
async function orNull(reading: Promise<unknown>, single: boolean): Promise<unknown> {
  try {
    return await reading;
  } catch (error) {
    if ((error as { status?: number }).status === 404) return single ? null : [];
    throw error;
  }
}

function ruleNamed(name: string, { deps }: GraphqlContext) {
  const rule = deps.rules.get(name);
  return rule ? { ...toRule(rule, null), info: rule } : null;
}

/** A transaction that a row names. */
const transactionOf = (types: Types, hashOf: (row: never) => string | null): Fields[string] => ({
  type: types.named("Transaction"),
  description: "mined if there is such a sighting; null: it is not stored",
  extensions: { cost: { shared: 1 } },
  resolve(row: TransactionKey, _, { loaders }) {
    const tx_hash = hashOf(row as never);
    return tx_hash === null ? null : loaders.transaction.load({ chain_id: row.chain_id, tx_hash });
  },
});
const ofRow = ({ tx_hash }: TransactionKey): string => tx_hash;

/** What belongs to a transaction, the newest first. */
const belonging = (types: Types): Fields =>
  Object.fromEntries([
    ...(["alerts", "swaps", "arbitrages", "liquidations", "sandwiches"] as const).map((name) => [
      name,
      {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(types.answerOf(`/api/v1/${name}`)))),
        args: { first: { type: GraphQLInt, defaultValue: 10, description: `rows, 1 to ${MOST_RELATED}` } },
        extensions: { cost: { rows: firstOf(MOST_RELATED), shared: 1 } },
        async resolve(row: TransactionKey, { first }: { first: number }, { loaders }: GraphqlContext) {
          if (first < 1 || first > MOST_RELATED)
            throw badInput(`Invalid first: Expected an integer from 1 to ${MOST_RELATED}`);
          return (await loaders[name].load(row)).slice(0, first);
        },
      },
    ]),
    ...Object.keys(arbitrageFields).map((name) => [name, { ...types.plain("Transaction", name), ...ofArbitrage(name as keyof typeof arbitrageFields) }]),
  ]); // biome-ignore format: two lists of fields

const ofArbitrage = (name: keyof typeof arbitrageFields) => ({
  extensions: { cost: { shared: 1 } },
  resolve: async (row: never, _: unknown, { loaders }: GraphqlContext) =>
    (await loaders.arbitrageFieldsOf((row as { definition?: string }).definition ?? "cycle").load(row))[name] ?? null,
});

const MORE: MoreFields = {
  Transaction: belonging,
  TransactionDetail: belonging,
  Alert: (types) => ({
    transaction: transactionOf(types, ofRow),
    rule_info: {
      type: types.named("Rule"),
      description: "as it is now; null: it is not there any more",
      resolve: ({ rule }: { rule: string }, _, context) => ruleNamed(rule, context),
    },
  }),
  Swap: (types) => ({ transaction: transactionOf(types, ofRow) }),
  Arbitrage: (types) => ({ transaction: transactionOf(types, ofRow) }),
  Liquidation: (types) => ({ transaction: transactionOf(types, ofRow) }),
  Sandwich: (types) => ({ transaction: transactionOf(types, ofRow) }),
  Opportunity: (types) => ({
    transaction: transactionOf(types, ofRow),
    captured_transaction: transactionOf(types, ({ captured_tx }: { captured_tx: string | null }) => captured_tx),
  }),
  Pool: (types) => ({
    last_transaction: transactionOf(types, ({ last_tx }: { last_tx: string }) => last_tx),
  }),
  Rule: (types) => ({
    counts: {
      ...types.plain("Rule", "counts"),
      extensions: { cost: { shared: 1 } },
      resolve: async ({ info }, _, { loaders }) => (await loaders.counts())(info),
    },
    alerts: listField(types, { ...ALERTS, given: { rule: ({ name }: { name: string }) => name } }),
  }),
};
