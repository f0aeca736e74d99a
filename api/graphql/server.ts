/** The GraphQL server: graphql-yoga with our limits, and the protocol graphql-transport-ws. Loaded with the first operation: a start need not wait for it. */
import { type DocumentNode, GraphQLError, NoSchemaIntrospectionCustomRule, parse } from "graphql";
import { CloseCode, makeServer } from "graphql-ws";
import { createYoga, type Plugin } from "graphql-yoga";
import type { OpenApiDocument } from "../docs.ts";
import { AUTH_WITHIN_MS, type Connection } from "../live/connection.ts";
import type { SocketParts } from "../live/sockets.ts";
import { isAllowed } from "./connections.ts";
import { createContext, type GraphqlContext, type GraphqlDeps } from "./context.ts";
import { causeOf, publicError, withPublicErrors } from "./errors.ts";
import { LIMITS, tooMuch, weigh } from "./limits.ts";
import { createSchema } from "./schema.ts";

/** Behind the limit of each query (READ_SETTINGS). */
const OPERATION_MS = 20_000;
/** Operations at a time that one WebSocket may have. */
const MAX_OPERATIONS = 32;

export type GraphqlServer = ReturnType<typeof createServer>;

export function createServer(deps: GraphqlDeps, document: OpenApiDocument) {
  const schema = createSchema(document);
  const yoga = createYoga<GraphqlContext>({
    schema,
    ...{ batching: false, multipart: false, graphiql: false, landingPage: false, cors: false, logging: false },
    // Node's own: a stream of another kind would break where its client leaves
    fetchAPI: { Request, Response, Headers, ReadableStream, TextEncoder },
    maskedErrors: { maskError: (error) => ofOurSide(error, deps) },
    plugins: [limits()],
  });

  /** What the client hears of who it is goes by the socket's request, and by `connection_init`. */
  const sockets = makeServer<Record<string, unknown>, SocketParts & { role: GraphqlContext["role"] }>({
    connectionInitWaitTimeout: AUTH_WITHIN_MS,
    async onConnect({ extra, connectionParams }) {
      if (extra.known) return true;
      const token = tokenIn(connectionParams ?? {});
      return token !== undefined && (await extra.authenticate(token)) === undefined;
    },
    async onSubscribe({ extra, subscriptions }, _, payload) {
      const context = createContext(deps, extra.role, crypto.randomUUID());
      const refused = await extra.mayAsk();
      if (refused !== undefined) return [new GraphQLError(refused, { extensions: { code: "TOO_MANY_REQUESTS" } })];
      if (Object.keys(subscriptions).length > MAX_OPERATIONS)
        return [new GraphQLError(`Cannot run more operations on one connection: expected at most ${MAX_OPERATIONS}`)];
      const enveloped = yoga.getEnveloped(context);
      try {
        const document = enveloped.parse(payload.query);
        const errors = enveloped.validate(enveloped.schema, document);
        if (errors.length > 0) return errors as GraphQLError[];
        return {
          ...{ schema: enveloped.schema, document, operationName: payload.operationName },
          variableValues: payload.variables,
          contextValue: await enveloped.contextFactory(),
          rootValue: enveloped,
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [publicError(error, context)];
        throw error;
      }
    },
    execute: (args) => (args.rootValue as ReturnType<typeof yoga.getEnveloped>).execute({ ...args, rootValue: undefined }), // biome-ignore format: one line
    subscribe: (args) => (args.rootValue as ReturnType<typeof yoga.getEnveloped>).subscribe({ ...args, rootValue: undefined }), // biome-ignore format: one line
  });

  return {
    schema,
    /** @param request a POST of JSON with the operation */
    handle: (request: Request, context: GraphqlContext) => yoga.fetch(request, context),
    /** Speaks graphql-transport-ws on a socket until it closes. */
    serveSocket(parts: SocketParts): Connection {
      const { ws, onSent } = parts;
      let alive = true;
      // of a WebSocket no more is known than that it may read; nothing in the schema asks for more
      const closed = sockets.opened(
        {
          protocol: ws.protocol,
          send: (data) =>
            new Promise((resolve) => {
              onSent("graphql");
              ws.send(data, () => resolve()); // taken by the client's side, or gone with it: then `close` ends all
            }),
          close: (code, reason) => ws.close(code, reason),
          onMessage: (receive) =>
            ws.on("message", (data) => {
              alive = true;
              receive(String(data)).catch((error: unknown) => {
                deps.log.error({ event: "graphql_ws_failed", err: error }, "Failed to answer on a WebSocket");
                ws.close(CloseCode.InternalServerError, "An error on our side");
              });
            }),
        },
        { ...parts, role: "viewer" },
      );
      ws.on("pong", () => {
        alive = true;
      });
      ws.on("error", () => ws.close(1002));
      ws.on("close", (code, reason) => void closed(code, String(reason)));
      return {
        heartbeat() {
          if (!alive) return ws.terminate();
          alive = false;
          ws.ping();
        },
        close(code, reason) {
          ws.close(code, reason);
          setTimeout(() => ws.terminate(), 1_000).unref();
        },
      };
    },
  };
}

/** `connection_init` may carry what a request's header would. */
function tokenIn({ authorization, Authorization = authorization, "x-api-key": key, token = key }: Readonly<Record<string, unknown>>): string | undefined {
  const bearer = typeof Authorization === "string" ? /^Bearer +(\S{1,4096})$/i.exec(Authorization)?.[1] : undefined;
  return bearer ?? (typeof token === "string" ? token.slice(0, 4096) : undefined);
} // biome-ignore format: one pattern

/** What went wrong around an operation, not in it. */
function ofOurSide(error: unknown, { log }: GraphqlDeps): Error {
  if (error instanceof GraphQLError && causeOf(error) instanceof GraphQLError) return error;
  log.error({ event: "api_error", kind: "bug", err: error, path: "/graphql" }, "Failed to answer a request");
  return new GraphQLError("An error on our side; the log has the details", { extensions: { code: "INTERNAL_SERVER_ERROR" } }); // biome-ignore format: one line
}

function parseOperation(source: string): DocumentNode {
  try {
    return parse(source, { maxTokens: LIMITS.tokens });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // of the stack: the parser calls itself
    throw new GraphQLError("Cannot read the operation: it is nested too deeply, expected fewer brackets within each other", { extensions: { code: "GRAPHQL_PARSE_FAILED" } }); // biome-ignore format: one line
  }
}

function limits(): Plugin<GraphqlContext> {
  return {
    onParse: ({ setParseFn }) => setParseFn(parseOperation),
    // who may not read the docs does not get them this way
    onValidate({ addValidationRule, context }) {
      if (!isAllowed((context as GraphqlContext).role, "GET /docs")) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const refused = tooMuchOf(args);
      if (refused) return setResultAndStopExecution({ errors: [refused] });
      setExecuteFn((given) => within(OPERATION_MS, () => executeFn(given)));
      return { onExecuteDone: ({ result, setResult }) => setResult(withPublicErrors(result as never, args.contextValue)) };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refused = tooMuchOf(args);
      if (refused) return setResultAndStopExecution({ errors: [refused] });
      return {
        onSubscribeResult: ({ result, setResult }) => {
          if (!(Symbol.asyncIterator in result)) setResult(withPublicErrors(result, args.contextValue));
          return { onNext: ({ result, setResult }) => setResult(withPublicErrors(result as never, args.contextValue)) };
        },
      };
    },
  };
} // biome-ignore format: a hook a paragraph

function tooMuchOf({ schema, document, operationName, variableValues }: Parameters<NonNullable<Plugin["onExecute"]>>[0]["args"]): GraphQLError | undefined {
  const weight = weigh(schema, document, operationName, variableValues ?? {});
  return weight && tooMuch(weight);
} // biome-ignore format: one line

async function within<T>(ms: number, run: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new GraphQLError(`Cannot answer within ${ms / 1000} s: ask for less, or narrow it by since, until, chain_id or an address`, { extensions: { code: "TIMEOUT" } }); // biome-ignore format: one line
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
