/** The API: routes, guards, counting, and errors as problem+json. */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type ServerType } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { channelsOf, describeSilence, isSilent } from "../engine/lookout/silence.ts";
import { ServiceUnavailable, UserError } from "../engine/ops/errors.ts";
import { describeAliases, routedPath } from "./aliases.ts";
import { auditRoutes } from "./auth/auditRoutes.ts";
import { describeAccess } from "./auth/describeAccess.ts";
import { guard } from "./auth/guard.ts";
import { keyRoutes } from "./auth/keyRoutes.ts";
import { loginRoutes } from "./auth/loginRoutes.ts";
import { createTickets, onceInRedis } from "./auth/ticket.ts";
import { userRoutes } from "./auth/userRoutes.ts";
import { createWhoIs } from "./auth/whoIs.ts";
import { cached } from "./cache/cached.ts";
import { openCache } from "./cache/open.ts";
import { cors } from "./cors.ts";
import { coverageHeader } from "./coverageHeader.ts";
import type { ApiDeps } from "./deps.ts";
import { docsPage, type OpenApiDocument } from "./docs.ts";
import { createGraphql } from "./graphql/routes.ts";
import { createMemoryLimiter } from "./limits/limiter.ts";
import { createRateLimits } from "./limits/rateLimits.ts";
import { createRedisLimiter } from "./limits/redisLimiter.ts";
import { withETag } from "./list.ts";
import { createDoorman } from "./live/doorman.ts";
import { createHub } from "./live/hub.ts";
import { createLive } from "./live/live.ts";
import { network } from "./network.ts";
import { channelRoutes } from "./notify/channelRoutes.ts";
import { deliveryRoutes } from "./notify/deliveryRoutes.ts";
import { notModified } from "./notModified.ts";
import { waitByTurns } from "./patience.ts";
import { classify, messageOf, pathOf, problem } from "./problem.ts";
import { createRates } from "./rates.ts";
import { rememberedLabels } from "./rememberedLabels.ts";
import { createRouter } from "./router.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { arbitrageurRoutes } from "./routes/arbitrageurs.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { chainRoutes } from "./routes/chains.ts";
import { deadLetterRoutes } from "./routes/deadLetters.ts";
import { explainRoutes } from "./routes/explain.ts";
import { exportRoutes } from "./routes/exports.ts";
import { featureRoutes } from "./routes/features.ts";
import { findingRoutes } from "./routes/findings.ts";
import { findTransactionRoutes } from "./routes/findTransactions.ts";
import { gasRoutes } from "./routes/gas.ts";
import { jsonRuleRoutes } from "./routes/jsonRules.ts";
import { labelRoutes } from "./routes/labels.ts";
import { mevRoutes } from "./routes/mev.ts";
import { namedListRoutes } from "./routes/namedLists.ts";
import { operationRoutes } from "./routes/operations.ts";
import { opportunityRoutes } from "./routes/opportunities.ts";
import { ownerRoutes } from "./routes/owners.ts";
import { poolRoutes } from "./routes/pools.ts";
import { quotaRoutes } from "./routes/quotas.ts";
import { riskRoutes } from "./routes/risk.ts";
import { ruleCostRoutes } from "./routes/ruleCost.ts";
import { ruleFieldRoutes } from "./routes/ruleFields.ts";
import { ruleParameterRoutes } from "./routes/ruleParameters.ts";
import { ruleRoutes } from "./routes/rules.ts";
import { ruleTrialRoutes } from "./routes/ruleTrial.ts";
import { solanaRoutes } from "./routes/solana.ts";
import { statsRoutes } from "./routes/stats.ts";
import { transactionRoutes } from "./routes/transactions.ts";
import { transferRoutes } from "./routes/transfers.ts";
import { openStatistics } from "./statistics/open.ts";
import { serverOf, type TlsFiles } from "./tls.ts";
import { endpointOf, methodOf, tracedRequests } from "./tracedRequests.ts";

/** How late the store may know that a key was used. */
const KEY_USES_MS = 5_000;

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
  /** undefined: http */
  readonly tls?: TlsFiles | undefined;
  /** For tests: ms in which a request's headers must be here. */
  readonly headersMs?: number;
}

/** In ms. Who sends a request byte by byte holds a connection so long and no longer. */
const [HEADERS_MS, REQUEST_MS] = [10_000, 120_000];

export interface Listening {
  /** with the port that was taken, when 0 was asked for */
  readonly url: string;
  /** Answers what has begun, at most 5 s, then ends. */
  close(): Promise<void>;
}

/**
 * @example
 *     const { url, close } = await createApi(deps).listen({ host: "127.0.0.1", port: 8000 });
 *     await fetch(`${url}/api/v1/transactions?limit=1`); // [{ "tx_hash": "0x…", … }]
 */
export function createApi(given: ApiDeps) {
  const deps: ApiDeps = { ...given, labels: rememberedLabels(given.labels) };
  const { store, health, metrics, log, access } = deps;
  const { api } = deps.config;
  const whoIs = createWhoIs({ access, token: api.token, apiKeys: api.apiKeys, anonymous: api.anonymous });
  const once = deps.redis && onceInRedis(deps.redis, access.now);
  const tickets = createTickets(access.tokens, access.now, once);
  const rates = createRates(metrics);
  const limiter = deps.redis ? createRedisLimiter(deps.redis) : createMemoryLimiter();
  const limits = createRateLimits(limiter, api.limits);
  const hub = deps.live && createHub();
  const { versions, statistics } = openStatistics(deps);
  const graphql = createGraphql(
    { ...deps, statistics, hub, maxStreams: deps.live?.maxConnections ?? 0 },
    () => document as unknown as OpenApiDocument,
  );
  const live =
    deps.live &&
    createLive({
      ...{ ...deps, ...deps.live, hub, stillIs: whoIs.stillIs },
      doorman: createDoorman({ ...api, allow: api.allowIps, whoIs, tickets, limits }),
      graphql: async () => (await graphql.server()).serveSocket,
    });
  const component = health.register({
    name: "clickhouse",
    check: async () => {
      await store.rows("SELECT 1 AS one");
      return { up: true };
    },
  });

  const { silentAfter } = deps.config.nodes;
  const coverage = health.register({
    name: "coverage",
    required: false,
    check: async () => {
      const silent = channelsOf(await deps.coverage()).filter((channel) => isSilent(channel, silentAfter, Date.now()));
      const reason = silent.map((channel) => describeSilence(channel, silentAfter)).join(" ");
      return silent.length === 0 ? { up: true } : { up: false, reason };
    },
  });

  const app = createRouter({ getPath: routedPath });
  app.use(withRequestId);
  app.use(tracedRequests);
  app.use(counted(deps));
  app.use(coverageHeader(deps.coverage, silentAfter));
  app.use(answerHeaders);
  app.use(notModified);
  app.use(network({ allow: api.allowIps, trustedProxies: api.trustedProxies, hosts: api.hosts }));
  app.use(cors(api.corsOrigins));
  app.use(guard(whoIs, tickets, limits));
  app.use(limits.middleware);
  app.use(cached(openCache(deps, versions)));
  for (const router of [
    operationRoutes({ ...deps, rates }),
    solanaRoutes(deps), // before /transactions/{hash}
    transactionRoutes(deps),
    findTransactionRoutes(deps),
    riskRoutes(deps),
    gasRoutes(deps),
    alertRoutes(deps),
    deadLetterRoutes(deps),
    featureRoutes(deps),
    archiveRoutes(deps),
    exportRoutes(deps),
    statsRoutes(statistics),
    arbitrageurRoutes(statistics),
    opportunityRoutes(deps),
    mevRoutes(deps),
    poolRoutes(deps),
    transferRoutes(deps),
    findingRoutes(deps),
    chainRoutes(deps),
    ruleRoutes(deps),
    jsonRuleRoutes(deps),
    ruleParameterRoutes(deps),
    explainRoutes(deps),
    ruleCostRoutes(deps),
    ownerRoutes(deps),
    quotaRoutes({ ...deps, limits }),
    ruleTrialRoutes(deps),
    ruleFieldRoutes(),
    namedListRoutes(deps),
    labelRoutes(deps),
    channelRoutes(deps),
    deliveryRoutes(deps),
    loginRoutes({ ...deps, whoIs, tickets }),
    keyRoutes({ ...deps, whoIs }),
    userRoutes({ ...deps, whoIs }),
    auditRoutes(deps),
    graphql.routes,
    ...(live ? [live.routes] : []),
  ])
    app.route("/", router);

  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Weir",
      version: deps.version,
      description: "Transactions, what rules raised on them, and the rules. Errors are problem+json (RFC 9457).",
    },
  });
  describeAccess(document as unknown as OpenApiDocument);
  describeAliases(document as unknown as OpenApiDocument);
  const page = docsPage(document as unknown as OpenApiDocument);
  app.get("/openapi.json", (c) => withETag(c, document));
  app.get("/docs", (c) =>
    c.html(page, 200, {
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    }),
  );
  app.get("/", (c) => c.redirect("/docs"));

  const allowed = methodsByPath(app.routes);
  app.notFound((c) => {
    const methods = allowed(c.req.path);
    if (methods.length === 0) return problem(c, 404, `There is nothing at ${pathOf(c)}; see /docs`);
    const allow = methods.join(", ");
    return problem(c, 405, `Cannot ${c.req.method.slice(0, 20)} ${pathOf(c)}: expected ${allow}`, {
      headers: { allow },
    });
  });
  app.onError((error, c) => {
    const { kind, status, detail, ...more } = classify(error);
    metrics.apiErrors.inc({ endpoint: endpointOf(c), error_type: kind });
    if (kind === "bug")
      log.error({ event: "api_error", kind, err: error, ...requestOf(c) }, "Failed to answer a request");
    else if (kind !== "client")
      log.warn({ event: "api_error", kind, reason: messageOf(error), ...requestOf(c) }, "Failed to answer a request");
    return problem(c, status, detail, status === 503 ? { headers: { "retry-after": "1" } } : more);
  });

  async function listen({ host, port, tls, headersMs = HEADERS_MS }: ListenOptions): Promise<Listening> {
    const { serverOptions, ...https } = serverOf(tls);
    const patience = { headersTimeout: headersMs, requestTimeout: REQUEST_MS };
    const server = createAdaptorServer({
      fetch: app.fetch,
      ...https,
      serverOptions: { ...patience, connectionsCheckingInterval: headersMs / 2, ...serverOptions },
    });
    server.once("close", waitByTurns(server, patience));
    if (live) server.on("upgrade", live.upgrade);
    server.on("error", () => {}); // listening tells its own; later ones belong to single connections
    await new Promise<void>((resolve, reject) => {
      server
        .once("listening", resolve)
        .once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
      server.listen(port, host);
    });
    const { port: taken } = server.address() as AddressInfo;
    return {
      url: `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${taken}`,
      close: () => closed(server),
    };
  }

  async function flushUses(): Promise<void> {
    try {
      await access.keys.flush();
    } catch (error) {
      log.warn(
        { event: "key_uses_kept", reason: messageOf(error) },
        "Cannot write how often keys were used; trying again",
      );
    }
  }
  const flushing = setInterval(() => void flushUses(), KEY_USES_MS).unref();

  async function closed(server: ServerType): Promise<void> {
    rates.close();
    clearInterval(flushing);
    component.remove();
    coverage.remove();
    await live?.close();
    const end = new Promise<void>((resolve) => server.close(() => resolve()));
    if ("closeIdleConnections" in server) server.closeIdleConnections();
    const timer = setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), 5_000);
    await end.finally(() => clearTimeout(timer));
    await flushUses();
  }

  return { app, document, listen, hub };
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE")
    return new UserError(`Cannot listen on "${host}:${port}": another program does, expected a free port`, {
      next: "Stop it, or set API_PORT (0 takes any free one)",
      cause: error,
    });
  if (error.code === "EACCES" || error.code === "EADDRNOTAVAIL")
    return new UserError(`Cannot listen on "${host}:${port}": ${error.code}, expected an address and port of ours`, {
      next: "Set API_HOST and API_PORT",
      cause: error,
    });
  return new ServiceUnavailable(`Cannot listen on "${host}:${port}": ${error.message}`, { cause: error });
}

/** Counts and times every answer by the route's pattern: raw paths would be labels without end. */
function counted({ metrics, log }: ApiDeps): MiddlewareHandler {
  return async (c, next) => {
    const begin = performance.now();
    await next();
    const labels = { endpoint: endpointOf(c), method: methodOf(c) };
    const seconds = (performance.now() - begin) / 1000;
    metrics.apiLatency.observe(labels, seconds);
    metrics.apiDuration.observe(labels, seconds);
    metrics.apiRequests.inc({ ...labels, status: String(c.res.status) });
    if (log.isLevelEnabled("debug"))
      log.debug(
        { event: "api_request", ...labels, status: c.res.status, seconds, ...requestOf(c) },
        "Answered a request",
      );
    if (c.res.status >= 400 && !c.error) metrics.apiErrors.inc({ endpoint: labels.endpoint, error_type: "client" });
  };
}

/** A request is called as its client calls it, or gets a name here; the answer has it, and every line of the log about it. */
const withRequestId: MiddlewareHandler = async (c, next) => {
  const given = c.req.header(REQUEST_ID);
  const id = given !== undefined && /^[\w.:=-]{1,128}$/.test(given) ? given : randomUUID();
  c.set("requestId", id);
  c.header(REQUEST_ID, id);
  await next();
};
const REQUEST_ID = "x-request-id";
const requestOf = (c: Context) => ({ request_id: c.get("requestId") as string, path: pathOf(c) });

/** Before the answer is made: Hono makes a whole new response for a header that comes later (`c.header`). */
const answerHeaders: MiddlewareHandler = async (c, next) => {
  c.header("x-content-type-options", "nosniff");
  c.header("cross-origin-resource-policy", "same-origin");
  c.header("cache-control", "private, no-cache"); // unless its handler says another
  await next();
};

/** @returns for a path, the methods it could be asked with; none when there is no such path */
function methodsByPath(
  routes: readonly { readonly method: string; readonly path: string }[],
): (path: string) => string[] {
  const patterns = routes
    .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
    .map(({ method, path }) => ({
      method,
      pattern: new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/:[^/]+/g, "[^/]+")}$`),
    }));
  return (path) => {
    const methods = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    return [...methods].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  };
}
