/** `/graphql` as routes: what is documented, limited and counted as any other, before GraphQL sees it. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { jsonProblem } from "../../engine/ops/plainJson.ts";
import { principalOf } from "../auth/guard.ts";
import { bodyOf } from "../auth/shapes.ts";
import { readJson } from "../body.ts";
import type { OpenApiDocument } from "../docs.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { createContext, type GraphqlDeps } from "./context.ts";
import { queryPage } from "./page.ts";

const MAX_BODY = 64 << 10;
const MAX_QUERY = 32 << 10;

const operationSchema = z
  .strictObject({
    query: z.string().min(1).max(MAX_QUERY).openapi({ example: "{ alerts(first: 2) { totalCount nodes { rule message } } }" }),
    variables: z.record(z.string(), z.unknown()).nullish(),
    operationName: z.string().max(256).nullish(),
    extensions: z.record(z.string(), z.unknown()).nullish(),
  })
  .openapi("GraphqlOperation"); // biome-ignore format: a member a line
type Operation = z.infer<typeof operationSchema>;

const resultSchema = z
  .object({
    data: z.record(z.string(), z.unknown()).nullable().optional(),
    errors: z
      .array(
        z.object({
          message: z.string(),
          locations: z.array(z.object({ line: z.int(), column: z.int() })).optional(),
          path: z.array(z.union([z.string(), z.int()])).optional(),
          extensions: z.record(z.string(), z.unknown()).optional().openapi({ description: "code: BAD_USER_INPUT, TOO_COMPLEX, UNAVAILABLE …; of errors on our side request_id, which the log has" }),
        }),
      )
      .optional(),
  })
  .openapi("GraphqlResult"); // biome-ignore format: a member a line

const RESPONSES = {
  200: {
    description: "What was asked for, and what is wrong; of a subscription a stream of such results",
    content: { "application/json": { schema: resultSchema }, "text/event-stream": { schema: z.string() } },
  },
  400: problemResponse("No operation, or one that is too long"),
  413: problemResponse("The body is too large"),
  415: problemResponse("The body is no JSON"),
  ...DATABASE_PROBLEMS,
};
const DESCRIPTION =
  "Lists, what belongs to what, and subscriptions in one request; see api/graphql/README.md and /graphiql. Subscriptions come as server-sent events (Accept: text/event-stream), or by a WebSocket with graphql-transport-ws.";

const post = createRoute({
  ...{ method: "post", path: "/graphql", tags: ["graphql"], summary: "A GraphQL operation", description: DESCRIPTION },
  request: bodyOf(operationSchema),
  responses: RESPONSES,
});

const get = createRoute({
  ...{ method: "get", path: "/graphql", tags: ["graphql"], summary: "A GraphQL operation in the address" },
  description: `${DESCRIPTION} A browser's EventSource shows who it is by a ticket.`,
  request: {
    query: z.strictObject({
      query: z.string().min(1).max(MAX_QUERY).openapi({ example: "{ chains { name } }" }),
      variables: z
        .string()
        .max(MAX_QUERY)
        .optional()
        .openapi({ param: { description: "an object as JSON" } }),
      operationName: z.string().max(256).optional(),
      extensions: z
        .string()
        .max(4096)
        .optional()
        .openapi({ param: { description: "is taken, and means nothing" } }),
      ticket: z
        .string()
        .max(4096)
        .optional()
        .openapi({ param: { description: "of POST /api/v1/auth/ticket" } }),
    }),
  },
  responses: RESPONSES,
});

/** @param document of all routes; asked for with the first operation */
export function createGraphql(deps: GraphqlDeps, document: () => OpenApiDocument) {
  let loading: ReturnType<typeof load> | undefined;
  async function load() {
    const { createServer } = await import("./server.ts");
    return createServer(deps, document());
  }
  /** The server, made once. */
  const server = (): ReturnType<typeof load> => (loading ??= load());

  async function answer(c: Context, operation: Operation) {
    const { handle } = await server();
    const request = new Request("http://weir/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: wantedOf(c.req.header("accept") ?? "") },
      body: JSON.stringify(operation),
      signal: c.req.raw.signal,
    });
    const context = createContext(deps, principalOf(c).role, c.get("requestId" as never));
    const { status, headers, body } = await handle(request, context);
    const type = headers.get("content-type") ?? "application/json";
    // As application/json a result is a result; application/graphql-response+json tells by the status that there was no operation to run.
    const shown = type.startsWith("application/json") && status < 500 ? 200 : status;
    return c.body(body as ReadableStream, shown as 200, {
      "content-type": type,
      ...(type.startsWith("text/event-stream") && { "cache-control": "no-store", "x-accel-buffering": "no" }),
    }) as never;
  }

  const routes = createRouter();
  routes.openAPIRegistry.registerPath(post);
  routes.post("/graphql", async (c) => {
    const operation = await readJson(c, "the operation", operationSchema, MAX_BODY);
    return operation instanceof Response ? operation : answer(c, operation);
  }); // by a plain handler: its body is read no further than the limit
  routes.openapi(get, (c) => {
    const { query, variables, operationName } = c.req.valid("query");
    return answer(c, { query, variables: readVariables(variables), operationName });
  });
  routes.get("/graphiql", queryPage);
  return { routes, server };
}

/** One of the kinds of answers that there are. */
const wantedOf = (accept: string): string =>
  ["text/event-stream", "application/graphql-response+json"].find((type) => accept.includes(type)) ??
  "application/json";

function readVariables(text: string | undefined): Operation["variables"] {
  if (text === undefined || text === "") return undefined;
  const expected = 'Invalid variables: Expected an object as JSON, such as {"first": 10}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(400, expected);
  }
  const read = operationSchema.shape.variables.safeParse(value);
  if (!read.success || jsonProblem(value)) throw refuse(400, expected);
  return read.data;
}
