/** A route's list as a field: the same parameters and rows, and pages by cursors as Relay has them. */
import {
  GraphQLBoolean,
  GraphQLError,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from "graphql";
import type { z } from "zod";
import { countQuery } from "../../clickhouse/queries/list.ts";
import { atLeast } from "../../engine/access/roles.ts";
import { permissionOf } from "../auth/permissions.ts";
import { encodeCursor } from "../cursor.ts";
import { type Listing, READ_SETTINGS, readPage } from "../list.ts";
import { MAX_LIMIT } from "../parameters.ts";
import type { GraphqlContext } from "./context.ts";
import { type Fields, SafeInt, type Types } from "./types.ts";

type Arguments = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: rows of any list
type AnyListing = Listing<any, any>;

/** Rows of a page, each with its cursor. */
export interface PageOfNodes {
  readonly nodes: readonly unknown[];
  readonly cursors: readonly string[];
  readonly hasNext: boolean;
  /** On all pages. */
  readonly total: () => Promise<number>;
}

export interface PageField<P extends z.ZodObject> {
  /** `/api/v1/alerts`: its parameters are the arguments, its permission is the field's. */
  readonly path: string;
  readonly parameters: P;
  readonly page: (asked: z.output<P>, context: GraphqlContext) => Promise<PageOfNodes>;
  /** Arguments that the object around it gives: the alerts of a rule. */
  readonly given?: Readonly<
    Record<
      string, // biome-ignore lint/suspicious/noExplicitAny: whatever has the field
      (parent: any) => unknown
    >
  >;
}

export interface ListField<P extends z.ZodObject> extends Omit<PageField<P>, "page"> {
  readonly listing: (asked: z.output<P>, context: GraphqlContext) => AnyListing;
}

const DEFAULT_FIRST = 20;
/** GraphQL's names of what REST calls otherwise. */
const NAMES: Readonly<Record<string, string>> = { limit: "first", cursor: "after" };

const PageInfo = new GraphQLObjectType({
  name: "PageInfo",
  fields: {
    hasNextPage: { type: new GraphQLNonNull(GraphQLBoolean) },
    endCursor: { type: GraphQLString, description: "where to go on: the argument after" },
  },
});

export function pageField<P extends z.ZodObject>(types: Types, { path, parameters, page, given = {} }: PageField<P>): Fields[string] {
  const without = ["chainId", "limit", "offset", "cursor", ...Object.keys(given)];
  return {
    type: new GraphQLNonNull(connectionOf(types.answerOf(path))),
    description: types.summaryOf(path),
    args: {
      ...types.argumentsOf(path, without),
      first: { type: GraphQLInt, defaultValue: DEFAULT_FIRST, description: `rows, 1 to ${MAX_LIMIT}` },
      after: { type: GraphQLString, description: "endCursor of the page before" },
    },
    extensions: { cost: { rows: firstOf(MAX_LIMIT), each: 1 } },
    async resolve(parent, { first, after, ...filters }: Arguments, context) {
      mustBeAllowed(context, `GET ${path}`);
      const around = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value(parent)]));
      const asked = readArguments(parameters, { ...filters, ...around, limit: first, cursor: after });
      const { nodes, cursors, hasNext, total } = await page(asked, context);
      return {
        nodes,
        edges: nodes.map((node, i) => ({ node, cursor: cursors[i] })),
        pageInfo: { hasNextPage: hasNext, endCursor: cursors.at(-1) ?? null },
        totalCount: total,
      };
    },
  };
} // biome-ignore format: one field

/** A list that REST answers from, too. */
export const listField = <P extends z.ZodObject>(types: Types, { listing, ...field }: ListField<P>): Fields[string] =>
  pageField(types, {
    ...field,
    async page(asked, context) {
      const { limit, cursor } = asked as { limit: number; cursor?: readonly string[] };
      const { list, conditions, encode } = listing(asked, context);
      const page = { limit: limit + 1, offset: 0, after: cursor };
      const found = await readPage(context.deps.store, list, conditions, page);
      const rows = found.rows.slice(0, limit);
      return {
        nodes: await encode(rows),
        cursors: rows.map((row) => encodeCursor(row.cursor)),
        hasNext: found.rows.length > limit,
        async total() {
          const count = countQuery(list, conditions);
          const [counted] = await context.deps.store.rows<{ total: string }>(count.sql, count.params, READ_SETTINGS);
          return Number(counted!.total);
        },
      };
    },
  });

const connections = new WeakMap<GraphQLObjectType, GraphQLObjectType>();

function connectionOf(node: GraphQLObjectType): GraphQLObjectType {
  const known = connections.get(node);
  if (known) return known;
  const list = (type: GraphQLObjectType) => new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));
  const edge = new GraphQLObjectType({
    name: `${node.name}Edge`,
    fields: { node: { type: new GraphQLNonNull(node) }, cursor: { type: new GraphQLNonNull(GraphQLString) } },
  });
  const connection = new GraphQLObjectType({
    name: `${node.name}Connection`,
    fields: {
      nodes: { type: list(node) },
      edges: { type: list(edge) },
      pageInfo: { type: new GraphQLNonNull(PageInfo) },
      totalCount: {
        type: new GraphQLNonNull(SafeInt),
        description: "on all pages; a query of its own",
        extensions: { cost: { shared: 1 } },
      },
    },
  });
  connections.set(node, connection);
  return connection;
}

/** Rows that a field can have by its argument `first`. What is too much is refused when it is read: it costs no more than the most. */
export const firstOf = (most: number) => ({ first }: Arguments): number =>
  typeof first === "number" ? Math.min(Math.max(first, 1), most) : DEFAULT_FIRST; // biome-ignore format: one function

/** The arguments as REST reads its parameters, with its limits and words. */
export function readArguments<P extends z.ZodObject>(parameters: P, given: Arguments): z.output<P> {
  const texts = Object.entries(given).flatMap(([name, value]) =>
    value == null ? [] : [[name, String(value)] as const],
  );
  const read = parameters.safeParse(Object.fromEntries(texts));
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path: [name = ""], message }) => `Invalid ${NAMES[String(name)] ?? String(name)}: ${message}`); // biome-ignore format: one line
  throw badInput(wrong.join("; ").slice(0, 1_000));
}

export const badInput = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } }); // biome-ignore format: one line

/** What REST's table of permissions says of the route that has the same. @param route `GET /api/v1/alerts` */
export function mustBeAllowed({ role }: Pick<GraphqlContext, "role">, route: string): void {
  if (isAllowed(role, route)) return;
  throw new GraphQLError(`Cannot read what ${route} answers: the role is ${role}, expected ${permissionOf(route)}`, { extensions: { code: "FORBIDDEN" } }); // biome-ignore format: one line
}

export function isAllowed(role: GraphqlContext["role"], route: string): boolean {
  const permission = permissionOf(route);
  return permission === "open" || atLeast(role, permission === "local" ? "viewer" : permission);
}
